//! Arbitrary runtimes: nothing panics, and the engines agree. The same modules every time; looking for new ones is what the fuzz
//! target `call` is for.

#[path = "arbitrary/mod.rs"]
mod arbitrary_runtimes;
#[path = "../../heapbase-module/tests/steady/mod.rs"]
mod steady;

use arbitrary::Unstructured;
use arbitrary_runtimes::Ended;
use std::collections::BTreeMap;

/// Runtimes.
const RUNTIMES: u32 = 1_000;

#[test]
fn engines_agree_on_arbitrary_runtimes() {
    let mut next = steady::numbers(0x2545_f491_4f6c_dd1d);
    let mut ended = BTreeMap::<Ended, u32>::new();
    for _ in 0..RUNTIMES {
        let bytes: Vec<u8> = (0..6_000).map(|_| next()).collect();
        let how = arbitrary_runtimes::check(&mut Unstructured::new(&bytes)).expect("so many bytes suffice");
        *ended.entry(how).or_default() += 1;
    }
    println!("{ended:?}");
    assert!(ended[&Ended::Returned] > RUNTIMES / 20 && ended[&Ended::Failed] > RUNTIMES / 20, "{ended:?}");
}
