//! Random modules behave the same before and after the passes of an adaptation. The fuzz target `fuzz/adapt` does this for as long as
//! it is let; here are some of them.

#[path = "passes/mod.rs"]
mod passes;

use arbitrary::Unstructured;
use passes::{Tally, check};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any},
    test_runner::{RngAlgorithm, TestError, TestRng, TestRunner},
};
use std::cell::Cell;

#[test]
fn modules_behave_as_before() {
    let tally = Cell::new(Tally::default());
    let config =
        ProptestConfig { cases: 400, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() };
    // The same cases every time: looking for new ones is what the fuzz target is for.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&vec(any::<u8>(), 200..6000), |bytes| {
        let mut now = tally.get();
        // Too few bytes for a module are none.
        let _ = check(&mut Unstructured::new(&bytes), &mut now);
        tally.set(now);
        Ok(())
    });
    match result {
        Ok(()) => {}
        // The module, in text form, says more than the bytes that it was made of.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
    let tally = tally.get();
    println!("{tally:?}");
    assert!(tally.modules > 100 && tally.traps > 50 && tally.calls > 1000 && tally.lowered > 50, "{tally:?}");
}
