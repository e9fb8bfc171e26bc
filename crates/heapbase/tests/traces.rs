//! Replays what real runtimes asked of their allocator, under the oracle.

mod driver;
#[path = "driver/native.rs"]
mod native;

use driver::{Driver, Op, Subject};
use heapbase::{FreeListAllocator, SizeClassAllocator, memory::TestMemory};
use heapbase_trace::Event;
use std::path::Path;

/// Replays a trace; blocks are found by the driver's numbering, which a free changes by moving the last block down.
fn replay<S: Subject>(subject: S, events: &[Event], check_each: usize) {
    let mut driver = Driver::new(subject);
    (driver.most_blocks, driver.most_bytes) = (usize::MAX, usize::MAX);
    let mut place_of = Vec::new();
    let mut at_place = Vec::new();
    for (step, event) in events.iter().enumerate() {
        match *event {
            Event::Allocate { size, align } => {
                driver.apply(Op::Allocate { size, align_log2: align.trailing_zeros() as u8, zeroed: false });
                place_of.push(at_place.len());
                at_place.push(place_of.len() - 1);
            }
            Event::Free { block } => {
                let place = place_of[block as usize];
                driver.apply(Op::Free { index: place as u32, sized: step % 2 == 0 });
                at_place.swap_remove(place);
                if let Some(moved) = at_place.get(place) {
                    place_of[*moved] = place;
                }
            }
            Event::Resize { block, size } => {
                // The driver takes a block out and puts it back last.
                let place = place_of[block as usize];
                let index = place as u32;
                driver.apply(match step % 3 {
                    0 => Op::ReallocateByAddress { index, size },
                    _ => Op::Reallocate { index, size },
                });
                at_place.swap_remove(place);
                if let Some(moved) = at_place.get(place) {
                    place_of[*moved] = place;
                }
                place_of[block as usize] = at_place.len();
                at_place.push(block as usize);
            }
        }
        if step % check_each == 0 {
            driver.check();
        }
    }
    assert_eq!(driver.nulls, 0, "there is memory enough");
    driver.regain();
}

#[test]
fn real_runtimes_are_served() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/alloc/traces");
    let mut replayed = 0;
    for entry in std::fs::read_dir(&traces).expect("the traces lie beside the benchmark") {
        let path = entry.unwrap().path();
        let events =
            heapbase_trace::parse(&std::fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        replay(SizeClassAllocator::with_source(TestMemory::new(400)), &events, 50);
        replay(FreeListAllocator::with_source(TestMemory::new(400)), &events, 50);
        replayed += 1;
    }
    assert!(replayed >= 5, "blocks and metadata of real runtimes are among them");
}
