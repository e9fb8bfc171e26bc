//! Random modules behave the same before and after the passes of an adaptation. The fuzz target `fuzz/adapt` does this for as long as
//! it is let; here are some of them.

#[path = "passes/mod.rs"]
mod passes;
mod steady;

use arbitrary::Unstructured;
use passes::{Tally, check};
use std::cell::Cell;

#[test]
fn modules_behave_as_before() {
    let tally = Cell::new(Tally::default());
    steady::each(400, 2000, 200..6000, |bytes| {
        let mut now = tally.get();
        // Too few bytes for a module are none.
        let _ = check(&mut Unstructured::new(bytes), &mut now);
        tally.set(now);
    });
    let tally = tally.get();
    println!("{tally:?}");
    assert!(tally.modules > 100 && tally.traps > 50 && tally.calls > 1000 && tally.lowered > 50, "{tally:?}");
}
