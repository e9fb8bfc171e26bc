//! Operations without end, from a seed.

#![allow(unreachable_pub, reason = "shared by several test programs")]

#[path = "xorshift.rs"]
mod xorshift;

use super::driver::Op;
pub use xorshift::Random;

impl Random {
    /// Sizes are spread over the doublings, with page multiples and their neighbours now and then.
    fn size(&mut self) -> u32 {
        let bits = self.next();
        let doubling = (bits % 17) as u32;
        let size = (1 << doubling) + (bits >> 32) as u32 % (1 << doubling);
        match bits >> 8 & 63 {
            0 => (size & !0xfff).max(4096),
            1 => (size & !0xffff) + 65_536 - (bits >> 16 & 31) as u32,
            2..=30 => size % 200,
            31..=40 => size % 1_100,
            _ => size,
        }
    }

    pub fn op(&mut self) -> Op {
        let bits = self.next();
        let index = (bits >> 32) as u32;
        match bits % 64 {
            0..=27 => {
                let align_log2 = if bits >> 8 & 7 == 0 { (bits >> 16 & 31) as u8 % 14 } else { (bits >> 16) as u8 & 3 };
                Op::Allocate { size: self.size(), align_log2, zeroed: bits >> 12 & 3 == 0 }
            }
            28..=52 => Op::Free { index, sized: bits >> 8 & 1 == 0 },
            53..=58 => Op::Reallocate { index, size: self.size() },
            59..=60 => Op::ReallocateByAddress { index, size: self.size() },
            61 => Op::Resize { index, size: self.size() },
            _ => match bits >> 8 & 31 {
                0 => Op::Steal { pages: (bits >> 16) as u8 & 1 },
                1..=3 => Op::Last { pages: (bits >> 16) as u8 & 3 },
                _ => Op::Fail { fail: bits >> 16 & 3 == 0 },
            },
        }
    }
}
