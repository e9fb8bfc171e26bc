//! Random runtimes behave the same before and after conversion. The fuzz target `fuzz/convert` does this for as long as it is
//! let; here are a few of them.

#[path = "differential/mod.rs"]
mod differential;

use arbitrary::Unstructured;
use differential::{Tally, check};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any},
    test_runner::{RngAlgorithm, TestError, TestRng, TestRunner},
};
use std::cell::Cell;

#[test]
fn conversions_behave_as_their_originals() {
    let tally = Cell::new(Tally::default());
    let config =
        ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
    // The same cases every time: looking for new ones is what the fuzz target is for.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&vec(any::<u8>(), 200..3000), |bytes| {
        let mut now = tally.get();
        check(&mut Unstructured::new(&bytes), &mut now).expect("no bytes are too few");
        tally.set(now);
        Ok(())
    });
    match result {
        Ok(()) => {}
        // The runtime, in text form, says more than the bytes that it was made of.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
    let tally = tally.get();
    println!("{tally:?}");
    assert!(
        tally.calls > 100 && tally.traps > 10 && tally.blocks > 400 && tally.in_place > 1 && tally.arenas > 20,
        "{tally:?}"
    );
}
