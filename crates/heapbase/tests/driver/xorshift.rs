//! Numbers that look random and are the same everywhere.

#![allow(unreachable_pub, reason = "shared by several test programs")]

/// A stream of numbers from a seed, which is not 0 (xorshift64*): enough for a walk.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
