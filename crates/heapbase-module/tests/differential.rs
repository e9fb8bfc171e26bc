//! Random runtimes behave the same before and after conversion. The fuzz target `fuzz/convert` does this for as long as it is
//! let; here are a few of them.

#[path = "differential/mod.rs"]
mod differential;
mod steady;

use arbitrary::Unstructured;
use differential::{Tally, check};
use std::cell::Cell;

#[test]
fn conversions_behave_as_their_originals() {
    let tally = Cell::new(Tally::default());
    steady::each(40, 200, 200..3000, |bytes| {
        let mut now = tally.get();
        check(&mut Unstructured::new(bytes), &mut now).expect("no bytes are too few");
        tally.set(now);
    });
    let tally = tally.get();
    println!("{tally:?}");
    assert!(
        tally.calls > 100
            && tally.traps > 10
            && tally.blocks > 400
            && tally.in_place > 1
            && tally.arenas > 20
            && tally.fronts > 10,
        "{tally:?}"
    );
}
