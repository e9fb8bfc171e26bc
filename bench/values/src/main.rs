//! What a handle to a subsystem costs for each allocation, as a ratio to the bare allocator in the same run.
//!
//! `cargo run --release --manifest-path bench/values/Cargo.toml [-- --smoke]`
//!
//! Blocks of mixed sizes are freed and allocated at random places of a table, each written to once. All handles run in turn,
//! round after round, and the least time of each counts: what others do on the machine only ever adds. Each is made several
//! times, on an allocator and a table of its own: where those happen to lie in memory is worth some hundredths.

mod rounds;

use allocator_api2::alloc::{Allocator, Global};
use core::time::Duration;
use heapbase::{
    AssumeSingleThreaded, SizeClassAllocator,
    memory::{Reserved, TestMemory},
    subsystem::{Shared, Subsystem},
};
use rounds::{On, Round, TURNS, turns};
use std::time::Instant;

fn on(handle: impl Allocator + 'static) -> Box<dyn Round> {
    Box::new(On::new(handle))
}

/// Allocators and tables for each handle.
const MADE: usize = 5;

/// Least time of a round for each.
fn measure(subjects: &mut [(&str, Vec<Box<dyn Round>>)], rounds: usize) -> Vec<Duration> {
    let turns = turns();
    let mut least = vec![Duration::MAX; subjects.len()];
    // The first rounds fill tables and caches.
    for round in 0..rounds + 2 {
        for made in 0..MADE {
            for ((_, subjects), least) in subjects.iter_mut().zip(&mut least) {
                let start = Instant::now();
                subjects[made].round(&turns);
                if round > 1 {
                    *least = start.elapsed().min(*least);
                }
            }
        }
    }
    least
}

fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Handles, each on an allocator of its own.
fn each<A: Allocator + 'static>(handle: impl Fn() -> A) -> Vec<Box<dyn Round>> {
    (0..MADE).map(|_| on(handle())).collect()
}

fn report<A: Allocator + Send + Sync + 'static>(name: &str, fresh: impl Fn() -> A, rounds: usize) {
    let bare = || forever(fresh());
    let borrowed = || forever(Subsystem::new("one", fresh()));
    let mut subjects = [
        ("bare", each(bare)),
        ("bare again", each(bare)),
        ("borrowed", each(borrowed)),
        (
            "borrowed heap of its own, reserved from a subsystem",
            each(|| forever(own(forever(Subsystem::new("own", fresh()))))),
        ),
        ("borrowed, of an allocator that others share", each(|| forever(Subsystem::new("one of many", bare())))),
        ("borrowed, nested in another", each(|| forever(Subsystem::new("within", borrowed())))),
        ("owning", each(|| Shared::new(Subsystem::new("two", fresh())).expect("memory"))),
        ("borrowed, for many threads", each(|| forever(Subsystem::for_threads("three", fresh())))),
        ("owning, for many threads", each(|| Shared::new(Subsystem::for_threads("four", fresh())).expect("memory"))),
    ];
    let least = measure(&mut subjects, rounds);
    println!("\n| {name} | ns for a free and an allocation | ratio |\n| --- | ---: | ---: |");
    for ((handle, _), time) in subjects.iter().zip(&least) {
        let nanos = time.as_nanos() as f64 / TURNS as f64;
        println!("| {handle} | {nanos:.2} | {:.3} |", time.as_secs_f64() / least[0].as_secs_f64());
    }
}

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let rounds = if smoke { 2 } else { 600 };
    report("flagship", heap, rounds);
    report("system's malloc", || Global, rounds);
}

/// The flagship, shared on the promise that there is one thread.
fn heap() -> AssumeSingleThreaded<SizeClassAllocator<TestMemory>> {
    // SAFETY: this program has one thread.
    unsafe { AssumeSingleThreaded::new(SizeClassAllocator::with_source(TestMemory::new(64))) }
}

/// The flagship, in memory that it reserves.
fn own<P: Allocator>(parent: P) -> AssumeSingleThreaded<SizeClassAllocator<Reserved<P>>> {
    // SAFETY: this program has one thread.
    unsafe {
        AssumeSingleThreaded::new(SizeClassAllocator::with_source(Reserved::new(parent, 3 << 20).expect("memory")))
    }
}
