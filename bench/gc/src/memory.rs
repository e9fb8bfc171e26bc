//! Who is compared.

use allocator_api2::alloc::{Allocator, Global, Layout};
use core::{ffi::c_void, ptr::NonNull};
use heapbase::{AssumeSingleThreaded, SizeClassAllocator, memory::TestMemory};
use heapbase_gc::{Collector, Description};

/// Memory for the programs: with a collector, or with `free`.
pub trait Memory {
    const COLLECTS: bool;

    fn new() -> Self;

    /// An object, all of it 0. With `leaf` it holds no address. `roots` are all that the program has.
    fn allocate(&mut self, size: usize, leaf: bool, roots: &[usize]) -> *mut usize;

    /// Frees an object, where nobody collects.
    ///
    /// # Safety
    ///
    /// It came from `allocate` with this size, and is not used any more.
    unsafe fn free(&mut self, _object: *mut usize, _size: usize) {}

    fn collect(&mut self, _roots: &[usize]) {}

    fn held_over_live(&self) -> f64 {
        f64::NAN
    }
}

pub struct Malloc;

impl Memory for Malloc {
    const COLLECTS: bool = false;

    fn new() -> Self {
        Self
    }

    fn allocate(&mut self, size: usize, _: bool, _: &[usize]) -> *mut usize {
        let layout = Layout::from_size_align(size, 16).expect("small");
        Global.allocate_zeroed(layout).expect("memory").as_ptr().cast()
    }

    unsafe fn free(&mut self, object: *mut usize, size: usize) {
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(NonNull::new_unchecked(object.cast()), Layout::from_size_align_unchecked(size, 16)) }
    }
}

#[link(name = "gc")]
unsafe extern "C" {
    fn GC_init();
    fn GC_malloc(size: usize) -> *mut c_void;
    fn GC_malloc_atomic(size: usize) -> *mut c_void;
    fn GC_gcollect();
    fn GC_add_roots(start: *mut c_void, end: *mut c_void);
}

/// bdwgc, as it comes. The programs' roots lie in memory of Rust's, which it does not scan: so they are copied to where it does.
pub struct Boehm;

/// Room for the programs' roots. A static is scanned.
static mut ROOTS: [usize; 1 << 16] = [0; 1 << 16];

impl Memory for Boehm {
    const COLLECTS: bool = true;

    fn new() -> Self {
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: once, before anything is allocated.
        ONCE.call_once(|| unsafe {
            GC_init();
            let start = &raw mut ROOTS;
            GC_add_roots(start.cast(), start.add(1).cast());
        });
        Self
    }

    #[inline]
    fn allocate(&mut self, size: usize, leaf: bool, roots: &[usize]) -> *mut usize {
        note(roots);
        // SAFETY: initialised.
        unsafe {
            if leaf {
                let made = GC_malloc_atomic(size).cast::<u8>();
                made.write_bytes(0, size);
                made.cast()
            } else {
                GC_malloc(size).cast()
            }
        }
    }

    fn collect(&mut self, roots: &[usize]) {
        note(roots);
        // SAFETY: initialised.
        unsafe { GC_gcollect() }
    }
}

/// Tells bdwgc of the last few roots, which is all that a program changed since the last time.
#[inline]
fn note(roots: &[usize]) {
    let from = roots.len().saturating_sub(2);
    for (at, root) in roots.iter().enumerate().skip(from) {
        // SAFETY: one thread, and the programs have fewer roots.
        unsafe { (&raw mut ROOTS).cast::<usize>().add(at).write(*root) };
    }
}

/// What our collector takes its memory from.
pub trait Ground: Allocator {
    fn new() -> Self;
}

pub type System = Global;

impl Ground for Global {
    fn new() -> Self {
        Self
    }
}

pub type Flagship = &'static AssumeSingleThreaded<SizeClassAllocator<TestMemory>>;

impl Ground for Flagship {
    fn new() -> Self {
        // SAFETY: this program has one thread.
        Box::leak(Box::new(unsafe {
            AssumeSingleThreaded::new(SizeClassAllocator::with_source(TestMemory::new(4_096)))
        }))
    }
}

/// Ours.
pub struct Ours<G: Ground>(Collector<G>);

impl<G: Ground> Memory for Ours<G> {
    const COLLECTS: bool = true;

    fn new() -> Self {
        Self(Collector::new(G::new()))
    }

    #[inline]
    fn allocate(&mut self, size: usize, leaf: bool, roots: &[usize]) -> *mut usize {
        let description = if leaf { Description::Leaf } else { Description::Scanned };
        // SAFETY: the programs keep what they use among the roots.
        let made =
            unsafe { self.0.allocate(size, description, |marker| roots.iter().for_each(|root| marker.word(*root))) };
        made.expect("memory").as_ptr().cast()
    }

    fn collect(&mut self, roots: &[usize]) {
        // SAFETY: as above.
        unsafe { self.0.collect(|marker| roots.iter().for_each(|root| marker.word(*root))) }
    }

    fn held_over_live(&self) -> f64 {
        let statistics = self.0.statistics();
        statistics.held_bytes as f64 / statistics.live_bytes as f64
    }
}
