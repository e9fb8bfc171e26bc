//! What the runtime says of itself.

use alloc::vec::Vec;
use codec::Encode;

const SPEC_NAME: &str = "ledger";
const IMPL_NAME: &str = "heapbase-ledger";
const AUTHORING_VERSION: u32 = 1;
pub(crate) const SPEC_VERSION: u32 = 1;
const IMPL_VERSION: u32 = 0;
pub(crate) const TRANSACTION_VERSION: u32 = 1;
const SYSTEM_VERSION: u8 = 1;

/// Identity (BLAKE2-64 of the name) and version of each interface: Core, Metadata, BlockBuilder, TaggedTransactionQueue,
/// AccountNonceApi, GenesisBuilder.
const APIS: [([u8; 8], u32); 6] = [
    ([0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b], 5),
    ([0x37, 0xe3, 0x97, 0xfc, 0x7c, 0x91, 0xf5, 0xe4], 2),
    ([0x40, 0xfe, 0x3a, 0xd4, 0x01, 0xf8, 0x95, 0x9a], 6),
    ([0xd2, 0xbc, 0x98, 0x97, 0xee, 0xd0, 0x8f, 0x15], 3),
    ([0xbc, 0x9d, 0x89, 0x90, 0x4f, 0x5b, 0x92, 0x3f], 1),
    ([0xfb, 0xc5, 0x77, 0xb9, 0xd7, 0x47, 0xef, 0xd6], 1),
];

/// The metadata in each version; the first is the one that is given where none is asked for.
pub(crate) const METADATA: [(u32, &[u8]); 2] =
    [(14, include_bytes!("../../ledger/metadata-v14.scale")), (15, include_bytes!("../../ledger/metadata-v15.scale"))];

/// Bytes that are put behind one another before the program runs.
struct Bytes<const N: usize> {
    bytes: [u8; N],
    used: usize,
}

impl<const N: usize> Bytes<N> {
    const EMPTY: Self = Bytes { bytes: [0; N], used: 0 };

    const fn and(mut self, more: &[u8]) -> Self {
        let mut at = 0;
        while at < more.len() {
            self.bytes[self.used] = more[at];
            self.used += 1;
            at += 1;
        }
        self
    }

    /// A text of less than 64 bytes, with its length.
    const fn and_text(self, text: &str) -> Self {
        assert!(text.len() < 64);
        self.and(&[(text.len() as u8) << 2]).and(text.as_bytes())
    }

    const fn and_number(self, number: u32) -> Self {
        self.and(&number.to_le_bytes())
    }

    const fn all(self) -> [u8; N] {
        assert!(self.used == N);
        self.bytes
    }
}

/// The custom section from which nodes read the version, without its interfaces: so they need not execute anything.
#[used]
#[unsafe(link_section = "runtime_version")]
static RUNTIME_VERSION: [u8; 2 + SPEC_NAME.len() + IMPL_NAME.len() + 18] = Bytes::EMPTY
    .and_text(SPEC_NAME)
    .and_text(IMPL_NAME)
    .and_number(AUTHORING_VERSION)
    .and_number(SPEC_VERSION)
    .and_number(IMPL_VERSION)
    .and(&[0])
    .and_number(TRANSACTION_VERSION)
    .and(&[SYSTEM_VERSION])
    .all();

/// The custom section with the interfaces.
#[used]
#[unsafe(link_section = "runtime_apis")]
static RUNTIME_APIS: [u8; 12 * APIS.len()] = {
    let mut bytes = Bytes::EMPTY;
    let mut at = 0;
    while at < APIS.len() {
        bytes = bytes.and(&APIS[at].0).and_number(APIS[at].1);
        at += 1;
    }
    bytes.all()
};

/// `RuntimeVersion`.
pub(crate) fn version() -> Vec<u8> {
    (
        (SPEC_NAME, IMPL_NAME, AUTHORING_VERSION, SPEC_VERSION, IMPL_VERSION),
        APIS.to_vec(),
        (TRANSACTION_VERSION, SYSTEM_VERSION),
    )
        .encode()
}
