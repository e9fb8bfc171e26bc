//! The hash by which chains name a runtime.

use serde::{Serialize, Serializer};
use std::fmt;

/// A BLAKE2b hash of 256 bits, the hash by which `system.authorizeUpgrade` and `state_getStorageHash` name a runtime.
///
/// Displays and serialises as `0x` and 64 lower-case hexadecimal digits.
///
/// ```
/// let hash = heapbase_module::Blake2_256::of(b"");
/// assert_eq!(hash.to_string(), "0x0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blake2_256(pub [u8; 32]);

impl Blake2_256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sp_crypto_hashing::blake2_256(bytes))
    }

    /// Its first eight bytes as a number, the lowest first.
    pub(crate) fn first_u64(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for Blake2_256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Blake2_256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Blake2_256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
