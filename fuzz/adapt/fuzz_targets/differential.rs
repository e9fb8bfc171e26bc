//! Random modules, before and after the passes of an adaptation. The same check as the test `passes` of heapbase-module.

#![no_main]

#[path = "../../../crates/heapbase-module/tests/passes/mod.rs"]
mod passes;

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use passes::{Tally, check};

fuzz_target!(|data: &[u8]| -> Corpus {
    match check(&mut Unstructured::new(data), &mut Tally::default()) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});
