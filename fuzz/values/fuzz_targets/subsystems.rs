//! Subsystems, handles, blocks and errors in any order, against the oracle of every figure that the tests have.

#![no_main]

#[path = "../../../crates/heapbase/tests/forest/mod.rs"]
mod forest;

use forest::{Forest, Op, Random};
use heapbase::subsystem::{Books, ManyThreads, OneThread};
use libfuzzer_sys::fuzz_target;

fn run<B: Books>(ops: &[u8]) {
    let mut forest = Forest::<B>::new();
    let (ops, _) = ops.as_chunks();
    for bits in ops {
        forest.step(Op::of(u64::from_le_bytes(*bits)));
    }
    let mut random = Random(ops.len() as u64 * 2 + 1);
    forest.fell(|| (random.next() >> 32) as u32);
}

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((kind, ops)) if kind % 2 == 0 => run::<OneThread>(ops),
        Some((_, ops)) => run::<ManyThreads>(ops),
        None => {}
    }
});
