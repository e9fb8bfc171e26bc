//! Adaptations of modules that nobody compiled: those with imports become runtimes or are refused, those without do what they did.
//! The same checks as the test `adapt` of heapbase-module.

#![no_main]

#[path = "../../../crates/heapbase-module/tests/adapt/compare.rs"]
mod compare;

use arbitrary::{Result, Unstructured};
use compare::{Tally, becomes_a_runtime, does_the_same};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    match check(&mut Unstructured::new(data)) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    if u.arbitrary()? { becomes_a_runtime(u) } else { does_the_same(u, &mut Tally::default()) }
}
