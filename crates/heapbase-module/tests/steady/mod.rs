//! Numbers and bytes that look random and are the same every time: looking for new cases is what the fuzz targets are for.
#![allow(dead_code, reason = "no test needs both")]

use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any},
    test_runner::{RngAlgorithm, TestError, TestRng, TestRunner},
};
use std::ops::Range;

/// Bytes, one after the other (xorshift).
pub(crate) fn numbers(mut state: u64) -> impl FnMut() -> u8 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    }
}

/// Checks so many cases, each made of so many bytes. One that fails is made smaller, so often at most.
///
/// # Panics
///
/// As `check` does. What it says is not buried in the bytes.
pub(crate) fn each(cases: u32, max_shrink_iters: u32, bytes: Range<usize>, check: impl Fn(&[u8])) {
    let config = ProptestConfig { cases, failure_persistence: None, max_shrink_iters, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&vec(any::<u8>(), bytes), |bytes| {
        check(&bytes);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
}
