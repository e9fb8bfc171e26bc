//! Memory of fixed bounds.

use super::{PageSource, Span};
use core::{marker::PhantomData, mem::MaybeUninit};

/// A region of fixed bounds, handed out whole the first time it is asked for.
///
/// It serves arenas (a static array, a slice) as well as the space that a linker script leaves free. `ZERO` says
/// whether the region is known to be zero at the start, as `.bss` is.
///
/// ```
/// use core::mem::MaybeUninit;
/// use heapbase::{Local, SizeClassAllocator, memory::Region};
///
/// let mut bytes = vec![MaybeUninit::uninit(); 64 * 1024];
/// let heap = Local::new(SizeClassAllocator::with_source(Region::<false>::new(&mut bytes)));
/// # let _ = heap;
/// ```
#[derive(Debug)]
pub struct Region<'a, const ZERO: bool = false> {
    start: *mut u8,
    end: *mut u8,
    given: bool,
    borrowed: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

impl<'a> Region<'a, false> {
    /// A region that lies in `bytes`.
    pub const fn new(bytes: &'a mut [MaybeUninit<u8>]) -> Self {
        let range = bytes.as_mut_ptr_range();
        Self { start: range.start.cast(), end: range.end.cast(), given: false, borrowed: PhantomData }
    }
}

impl<const ZERO: bool> Region<'_, ZERO> {
    /// The region from `start` up to, not including, `end`: for a `static` array or a linker's symbols.
    ///
    /// An empty or reversed region is a region without memory.
    ///
    /// # Safety
    ///
    /// The bytes are readable and writable, belong to this region alone for as long as it or anything allocated from it
    /// is used, and `start` may be used for all of them. With `ZERO` they are all zero.
    pub const unsafe fn between(start: *mut u8, end: *mut u8) -> Self {
        Self { start, end, given: false, borrowed: PhantomData }
    }

    /// The pointer to the first byte, for all of them.
    #[cfg(feature = "allocator-api2")]
    pub(super) const fn start(&self) -> *mut u8 {
        self.start
    }
}

// SAFETY: the region is one range of bytes that this source owns, by the loan of `new` or the caller's promise; nobody else
// holds a pointer into it, whichever thread uses the source.
unsafe impl<const ZERO: bool> Send for Region<'_, ZERO> {}

// SAFETY: S1, S3: the constructor's contract, and `pointer` derives from the pointer it was given. S2: one span only.
// S4: the caller's promise where `ZERO` holds. S5: nothing is called.
unsafe impl<const ZERO: bool> PageSource for Region<'_, ZERO> {
    const ZEROED: bool = ZERO;

    #[inline]
    fn grow(&mut self, least: usize) -> Option<Span> {
        const ALIGN: usize = 2 * size_of::<usize>();
        let start = self.start.addr().checked_next_multiple_of(ALIGN)?;
        let len = self.end.addr().saturating_sub(start) & !(ALIGN - 1);
        if self.given || len < least {
            return None;
        }
        self.given = true;
        Some(Span { start, len })
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        self.start.with_addr(address)
    }
}
