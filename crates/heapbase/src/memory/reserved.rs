//! Memory that a parent sets aside.

use super::{PageSource, Region, Span};
use allocator_api2::alloc::{AllocError, Allocator};
use core::{alloc::Layout, ptr::NonNull};

const ALIGN: usize = 2 * size_of::<usize>();

/// One block of a parent, taken when this is made and given back when the heap on it ends.
///
/// It makes a heap of its own for a part of a program, with whatever bounds and books the parent has: a
/// [`Subsystem`](crate::subsystem::Subsystem) as parent books what the part reserves, once, not each allocation. So an allocation costs what
/// it costs on the heap alone, all that is left in the part at its end goes back in one call, and what the part frees serves nobody else before.
///
/// ```
/// use allocator_api2::{alloc::Global, boxed::Box};
/// use heapbase::{Local, SizeClassAllocator, memory::Reserved, subsystem::Subsystem};
///
/// let server = Subsystem::new("server", Global);
/// server.set_budget(1 << 20);
/// {
///     let memory = Reserved::new(&server, 64 * 1024).expect("the budget has room");
///     let request = Local::new(SizeClassAllocator::with_source(memory));
///     Box::leak(Box::new_in([0u8; 1_000], &request));
///     assert_eq!(server.figures().live, 64 * 1024);
///     assert!(Box::try_new_in([0u8; 64 * 1024], &request).is_err());
/// }
/// server.close().expect("all of it went back");
/// ```
#[derive(Debug)]
pub struct Reserved<P: Allocator> {
    parent: P,
    layout: Layout,
    /// The parent's block for the layout.
    block: Region<'static>,
}

impl<P: Allocator> Reserved<P> {
    /// Takes `bytes` bytes of the parent, rounded down to a multiple of two words. The heap's bookkeeping comes out of them: with
    /// a few hundred or fewer it serves nothing.
    ///
    /// # Errors
    ///
    /// When the parent has not got so much (a [`Subsystem`](crate::subsystem::Subsystem) tells why:
    /// [`Figures::denied_since`](crate::subsystem::Figures::denied_since)), or no block can be so large.
    pub fn new(parent: P, bytes: usize) -> Result<Self, AllocError> {
        // Not when the heap first asks: the parent would be called from inside the heap (S5).
        let layout = Layout::from_size_align(bytes & !(ALIGN - 1), ALIGN).map_err(|_| AllocError)?;
        let start = parent.allocate(layout)?.cast::<u8>().as_ptr();
        // SAFETY: so many bytes are the parent's block, which is ours until it is given back in `drop`.
        let block = unsafe { Region::between(start, start.add(layout.size())) };
        Ok(Self { parent, layout, block })
    }

    /// The parent.
    pub const fn parent(&self) -> &P {
        &self.parent
    }
}

impl<P: Allocator> Drop for Reserved<P> {
    fn drop(&mut self) {
        // SAFETY: the parent's block for this layout, which is not at 0, and whoever used it has gone: the heap owns its source.
        unsafe { self.parent.deallocate(NonNull::new_unchecked(self.block.start()), self.layout) }
    }
}

// SAFETY: every promise is the region's, whose bytes stay until `drop`. S5: nothing is called.
unsafe impl<P: Allocator> PageSource for Reserved<P> {
    const ZEROED: bool = false;

    #[inline]
    fn grow(&mut self, least: usize) -> Option<Span> {
        self.block.grow(least)
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        self.block.pointer(address)
    }
}
