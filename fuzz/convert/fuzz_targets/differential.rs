//! Random runtimes, before and after conversion. The same check as the test `differential` of heapbase-module.

#![no_main]

#[path = "../../../crates/heapbase-module/tests/differential/mod.rs"]
mod differential;

use arbitrary::Unstructured;
use differential::{Tally, check};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    match check(&mut Unstructured::new(data), &mut Tally::default()) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});
