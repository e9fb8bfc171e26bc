//! Modules that wasm-smith builds, and bytes that are none: no panic, and the same behaviour before and after.

use super::compare::{Tally, becomes_a_runtime, does_the_same};
use super::{local, v1};
use crate::steady::numbers;
use arbitrary::Unstructured;
use heapbase_module::adapt::adapt;
use proptest::prelude::{ProptestConfig, any, proptest};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = adapt(&bytes, &local());
        let module = [&b"\0asm\x01\0\0\0"[..], &bytes].concat();
        let _ = adapt(&module, &v1());
    }

    #[test]
    fn any_module(seed in proptest::collection::vec(any::<u8>(), 512..4096)) {
        let _ = becomes_a_runtime(&mut Unstructured::new(&seed));
    }
}

#[test]
fn an_adapted_module_does_what_the_module_did() {
    let mut next = numbers(0x2545_f491_4f6c_dd1d);
    let mut tally = Tally::default();
    for _ in 0..2500 {
        let seed: Vec<u8> = (0..2048).map(|_| next()).collect();
        let _ = does_the_same(&mut Unstructured::new(&seed), &mut tally);
    }
    let Tally { values, traps } = tally;
    println!("{} calls compared: {values} values, {traps} traps", values + traps);
    assert!(values > 100 && traps > 20, "{values} values, {traps} traps");
}
