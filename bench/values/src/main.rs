//! What a handle to a subsystem costs for each allocation, as a ratio to the bare allocator in the same run: to the faster of two.
//!
//! `cargo run --release --manifest-path bench/values/Cargo.toml [-- --smoke]`
//!
//! Blocks of mixed sizes are freed and allocated at random places of a table, each written to once. All handles run in turn,
//! round after round, and the least time of each counts: what others do on the machine only ever adds.

mod rounds;

use allocator_api2::alloc::{Allocator, Global};
use core::time::Duration;
use heapbase::{
    AssumeSingleThreaded, SizeClassAllocator,
    memory::TestMemory,
    subsystem::{Shared, Subsystem},
};
use rounds::{On, Round, TURNS, turns};
use std::time::Instant;

fn on<'a>(handle: impl Allocator + 'a) -> Box<dyn Round + 'a> {
    Box::new(On::new(handle))
}

/// Least time of a round for each.
fn measure(subjects: &mut [(&str, Box<dyn Round + '_>)], rounds: usize) -> Vec<Duration> {
    let turns = turns();
    let mut least = vec![Duration::MAX; subjects.len()];
    // The first rounds fill tables and caches.
    for round in 0..rounds + 2 {
        for ((_, subject), least) in subjects.iter_mut().zip(&mut least) {
            let start = Instant::now();
            subject.round(&turns);
            if round > 1 {
                *least = start.elapsed().min(*least);
            }
        }
    }
    least
}

fn report<A: Allocator + Copy + Send + Sync + 'static>(name: &str, fresh: impl Fn() -> A, rounds: usize) {
    let (borrowed, nested, threads) = (Subsystem::new("one", fresh()), Subsystem::new("two", fresh()), fresh());
    let (within, threads) = (Subsystem::new("within", &nested), Subsystem::for_threads("three", threads));
    let owned = Shared::new(Subsystem::new("four", fresh())).expect("memory");
    let atomic = Shared::new(Subsystem::for_threads("five", fresh())).expect("memory");
    let mut subjects = [
        ("bare", on(fresh())),
        ("bare again", on(fresh())),
        ("borrowed", on(&borrowed)),
        ("borrowed, nested in another", on(&within)),
        ("owning", on(owned.clone())),
        ("borrowed, for many threads", on(&threads)),
        ("owning, for many threads", on(atomic.clone())),
    ];
    let least = measure(&mut subjects, rounds);
    println!("\n| {name} | ns for a free and an allocation | ratio |\n| --- | ---: | ---: |");
    let bare = least[0].min(least[1]).as_secs_f64();
    for ((handle, _), time) in subjects.iter().zip(&least) {
        let nanos = time.as_nanos() as f64 / TURNS as f64;
        println!("| {handle} | {nanos:.2} | {:.3} |", time.as_secs_f64() / bare);
    }
}

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let rounds = if smoke { 5 } else { 2_000 };
    report("flagship", || &*Box::leak(Box::new(heap())), rounds);
    report("system's malloc", || Global, rounds);
}

/// The flagship, shared on the promise that there is one thread.
fn heap() -> AssumeSingleThreaded<SizeClassAllocator<TestMemory>> {
    // SAFETY: this program has one thread.
    unsafe { AssumeSingleThreaded::new(SizeClassAllocator::with_source(TestMemory::new(64))) }
}
