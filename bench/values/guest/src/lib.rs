//! The rounds inside of a module, on the flagship: `run_round(handle)`, once `start(made)` was called.

#![no_std]

extern crate alloc;

#[path = "../../src/rounds.rs"]
mod rounds;

use alloc::{boxed::Box, vec, vec::Vec};
use allocator_api2::alloc::Allocator;
use core::mem::MaybeUninit;
use heapbase::{
    AssumeSingleThreaded, Global, SizeClassAllocator,
    memory::{MemoryGrow, Region, Reserved},
    subsystem::{Shared, Subsystem},
};
use rounds::{On, Round, turns};

#[global_allocator]
static HEAP: Global = Global::new();

type Heap = AssumeSingleThreaded<SizeClassAllocator<MemoryGrow>>;

type Own = AssumeSingleThreaded<SizeClassAllocator<Reserved<&'static Subsystem<Heap>>>>;

struct State {
    turns: Vec<(u32, u32)>,
    subjects: Vec<Box<dyn Round>>,
}

static mut STATE: Option<State> = None;

fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn fresh() -> Heap {
    // SAFETY: a module has one thread.
    unsafe { AssumeSingleThreaded::new(SizeClassAllocator::new()) }
}

fn on(handle: impl Allocator + 'static) -> Box<dyn Round> {
    Box::new(On::new(handle))
}

/// Makes bare, bare again, bare in a region, borrowed, a heap of its own, nested, owning, each `made` times on heaps of their own, and says how many that is.
#[unsafe(no_mangle)]
pub extern "C" fn start(made: usize) -> usize {
    let mut subjects = Vec::new();
    for _ in 0..made {
        let part = forever(Subsystem::new("part", fresh()));
        let parent = forever(Subsystem::new("parent", fresh()));
        // SAFETY: a module has one thread.
        let own = forever(unsafe {
            Own::new(SizeClassAllocator::with_source(Reserved::new(parent, 3 << 20).expect("memory")))
        });
        let arena = vec![MaybeUninit::uninit(); 3 << 20].leak();
        // SAFETY: a module has one thread.
        let region =
            forever(unsafe { AssumeSingleThreaded::new(SizeClassAllocator::with_source(Region::<false>::new(arena))) });
        let within = forever(Subsystem::new("within", forever(Subsystem::new("outer", fresh()))));
        let Ok(owned) = Shared::new(Subsystem::new("owned", fresh())) else { return 0 };
        subjects.extend([
            on(forever(fresh())),
            on(forever(fresh())),
            on(region),
            on(part),
            on(own),
            on(within),
            on(owned),
        ]);
    }
    let count = subjects.len();
    // SAFETY: a module has one thread.
    unsafe { (&raw mut STATE).write(Some(State { turns: turns(), subjects })) };
    count
}

/// A round on one of them.
#[unsafe(no_mangle)]
pub extern "C" fn run_round(subject: usize) {
    // SAFETY: a module has one thread.
    if let Some(state) = unsafe { &mut *(&raw mut STATE) } {
        state.subjects[subject].round(&state.turns);
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
