//! What a handle to a subsystem costs for each allocation, as a ratio to the bare allocator in the same run.
//!
//! `cargo run --release --manifest-path bench/values/Cargo.toml [-- --smoke]`
//!
//! Blocks of mixed sizes are freed and allocated at random places of a table, each written to once. All handles run in turn,
//! round after round, and the least time of each counts: what others do on the machine only ever adds.

use allocator_api2::alloc::{Allocator, Global, Layout};
use core::{ptr::NonNull, time::Duration};
use heapbase::{
    AssumeSingleThreaded, SizeClassAllocator,
    memory::TestMemory,
    subsystem::{Shared, Subsystem},
};
use std::time::Instant;

/// Live blocks.
const TABLE: usize = 1 << 10;
/// Frees and allocations of a round.
const TURNS: usize = 1 << 15;

/// A random walk over the table, the same for everyone: which place, and what size comes there.
fn turns() -> Vec<(u32, u32)> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    (0..TURNS)
        .map(|_| {
            let bits = next();
            // Most are small, as a program's are.
            let limit = 16 << (bits >> 8 & 7).min(bits >> 11 & 7);
            ((bits >> 32) as u32 % TABLE as u32, 1 + (bits >> 16) as u32 % limit)
        })
        .collect()
}

/// A handle with its table, measured round by round.
trait Round {
    fn round(&mut self, turns: &[(u32, u32)]);
}

struct On<A: Allocator> {
    handle: A,
    table: Vec<Option<(NonNull<u8>, Layout)>>,
}

impl<A: Allocator> Round for On<A> {
    #[inline(never)]
    fn round(&mut self, turns: &[(u32, u32)]) {
        for (place, size) in turns {
            let slot = &mut self.table[*place as usize];
            let layout = Layout::from_size_align(*size as usize, 8).expect("small");
            if let Some((block, layout)) = slot.take() {
                // SAFETY: of this handle and layout, and given back once.
                unsafe { self.handle.deallocate(block, layout) };
            }
            let block = self.handle.allocate(layout).expect("memory").cast::<u8>();
            // SAFETY: at least one byte long.
            unsafe { block.write(1) };
            *slot = Some((block, layout));
        }
    }
}

impl<A: Allocator> Drop for On<A> {
    fn drop(&mut self) {
        for (block, layout) in self.table.drain(..).flatten() {
            // SAFETY: of this handle and layout, and given back once.
            unsafe { self.handle.deallocate(block, layout) };
        }
    }
}

fn on<'a>(handle: impl Allocator + 'a) -> Box<dyn Round + 'a> {
    Box::new(On { handle, table: vec![None; TABLE] })
}

/// Least time of a round for each, the first of which is the bare allocator.
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
    for ((handle, _), time) in subjects.iter().zip(&least) {
        let nanos = time.as_nanos() as f64 / TURNS as f64;
        println!("| {handle} | {nanos:.2} | {:.3} |", time.as_secs_f64() / least[0].as_secs_f64());
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
