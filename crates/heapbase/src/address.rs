//! All address and bit arithmetic, so that the allocators read as sentences.
//!
//! Every size is derived from the pointer size `WORD`, so that a 64-bit test exercises the same counts as a 32-bit module.
//! The figures in the documentation are those of 32 bits.

/// Bytes of an address; 4 on wasm32.
pub(crate) const WORD: usize = size_of::<usize>();
/// Granularity of every block and the alignment of every pointer handed out; 8 on wasm32.
pub(crate) const UNIT: usize = 2 * WORD;
/// The smallest tagged block: its tag, two links and the size at its end; 16 on wasm32.
pub(crate) const MIN_BLOCK: usize = 4 * WORD;

/// An address inside a heap, or [`Addr::NONE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Addr(pub(crate) usize);

impl Addr {
    /// No address. No block starts at 0: a null pointer would not be told from failure.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn is_some(self) -> bool {
        self.0 != 0
    }

    pub(crate) const fn plus(self, bytes: usize) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    pub(crate) const fn minus(self, bytes: usize) -> Self {
        Self(self.0.wrapping_sub(bytes))
    }

    /// Bytes from `lower` up to this address.
    pub(crate) const fn above(self, lower: Self) -> usize {
        self.0.wrapping_sub(lower.0)
    }

    /// This address rounded down to a multiple of `align`, a power of two.
    pub(crate) const fn down_to(self, align: usize) -> Self {
        Self(self.0 & align.wrapping_neg())
    }

    /// This address rounded up to a multiple of `align`, a power of two; wraps at the end of the address space.
    pub(crate) const fn up_to(self, align: usize) -> Self {
        Self(self.0.wrapping_add(align - 1) & align.wrapping_neg())
    }
}

/// The word in front of every tagged block: its size in bytes, whether it is free, and whether the block below it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tag(pub(crate) usize);

impl Tag {
    const FREE: usize = 1;
    const BELOW_FREE: usize = 2;

    pub(crate) const fn used(size: usize) -> Self {
        Self(size)
    }

    pub(crate) const fn free(size: usize) -> Self {
        Self(size | Self::FREE)
    }

    /// Size of the block, its tag included.
    pub(crate) const fn size(self) -> usize {
        self.0 & !(UNIT - 1)
    }

    pub(crate) const fn is_free(self) -> bool {
        self.0 & Self::FREE != 0
    }

    pub(crate) const fn is_below_free(self) -> bool {
        self.0 & Self::BELOW_FREE != 0
    }

    pub(crate) const fn with_below_free(self) -> Self {
        Self(self.0 | Self::BELOW_FREE)
    }

    pub(crate) const fn with_below_used(self) -> Self {
        Self(self.0 & !Self::BELOW_FREE)
    }

    /// The same flags with another size.
    pub(crate) const fn resized(self, size: usize) -> Self {
        Self(self.0 & (UNIT - 1) | size)
    }
}

/// `bytes` rounded up to a multiple of `align`, a power of two.
pub(crate) const fn round_up(bytes: usize, align: usize) -> usize {
    (bytes + align - 1) & align.wrapping_neg()
}

/// Size of the tagged block that holds `bytes`, at most `isize::MAX` of them.
pub(crate) const fn block_for(bytes: usize) -> usize {
    let size = round_up(bytes + WORD, UNIT);
    if size < MIN_BLOCK { MIN_BLOCK } else { size }
}

const _: () = {
    assert!(UNIT.is_power_of_two() && UNIT > 3, "a tag keeps two flags below the size");
    assert!(block_for(0) == MIN_BLOCK && block_for(3 * WORD) == MIN_BLOCK);
    assert!(block_for(3 * WORD + 1) == MIN_BLOCK + UNIT);
    assert!(block_for(isize::MAX as usize) > isize::MAX as usize, "does not wrap");
};
