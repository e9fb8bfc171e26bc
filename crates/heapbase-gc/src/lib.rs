//! A conservative mark-sweep collector over any allocator.
//!
//! It knows nothing of where its memory comes from: it asks an `allocator_api2::alloc::Allocator` for blocks, and gives back those that
//! are empty. So it runs on the system's malloc, on a heap of [`heapbase`](https://docs.rs/heapbase), on a host's allocator behind two
//! imported functions, or in a subsystem with a budget.
//!
//! ```
//! use allocator_api2::alloc::Global;
//! use heapbase_gc::{Collector, Description, Marker};
//!
//! // A linked list of three, and nobody who holds the second on.
//! let mut root = 0usize;
//! let mut heap = Collector::new(Global);
//! // SAFETY: the objects are used within their size, and while the root or a field refers to them.
//! unsafe {
//!     for number in 0..3usize {
//!         let node = heap.allocate(16, Description::Scanned, |_: &mut Marker<'_>| {}).unwrap().cast::<usize>();
//!         node.write(root);
//!         node.add(1).write(number);
//!         root = node.addr().get();
//!     }
//!     assert_eq!(heap.statistics().objects, 3);
//!     heap.collect(|marker| marker.word(root));
//!     assert_eq!(heap.statistics().objects, 3);
//!     heap.collect(|_| {});
//!     assert_eq!((heap.statistics().objects, heap.statistics().live_bytes), (0, 0));
//! }
//! ```
//!
//! # What it does
//!
//! *Conservative*: any word that could be the address of an object, or of a byte inside of one, keeps it. Roots are whatever the program
//! says while it is asked ([`Marker`]), and ranges that were registered. An object says what it may hold
//! ([`Description`]): nothing, anything, or words at known places.
//!
//! *Mark-sweep*: objects do not move. Those of one size lie in blocks with a bit for each; a sweep replaces the bits of what is in
//! use by those of what was marked, and touches no object.
//!
//! *Deterministic*: no clock, no randomness. When it collects depends on bytes alone, and what it keeps on what the words are. Addresses are the
//! allocator's; where those repeat, so does everything.
//!
//! *Never without memory for its own work*: if the list of what is to be looked at cannot grow, marked objects are looked for instead, which is
//! slower and comes to the same.
//!
//! # When
//!
//! An allocation collects first when as many bytes have been allocated since the last time as were live then, times
//! [`set_growth`](Collector::set_growth), or when the limit or the allocator has no more. An object lives, then, only while a root or an
//! object refers to it *during each allocation*: what the program keeps in its own variables has to be among the roots.
//!
//! # Soundness
//!
//! The memory of objects is read as words, whatever type the program put there, as every conservative collector does; the values are
//! compared with addresses and never become pointers. Pointers to objects derive from the allocator's blocks. What the program does with
//! an object is `unsafe`, for the collector cannot know which variables exist.
#![no_std]

mod collector;
mod list;
mod marker;
mod pending;
mod segment;

pub use collector::{Collector, Finaliser, Statistics};
pub use marker::Marker;

/// Bytes of a word.
const WORD: usize = size_of::<usize>();
/// Granularity of objects and their alignment: 16 bytes on 64 bits, 8 on 32.
const UNIT: usize = 2 * WORD;

/// What an object may hold.
#[derive(Clone, Copy, Debug)]
pub enum Description {
    /// No address of any object: it is never looked at. For strings and numbers.
    Leaf,
    /// Perhaps addresses, in any aligned word.
    Scanned,
    /// Addresses in the words that the shape names, and nowhere else. Costs a word for each object.
    Precise(Shape),
}

/// Bits of a shape's word that hold the number of words: 5 on 32 bits, 6 on 64.
const SIZE_BITS: usize = 4 + WORD / 4;

/// Which words of an object are addresses: a pattern that repeats, as in an array of structures. One word, in the form in which TinyGo's
/// compiler hands layouts to its allocator.
///
/// ```text
///  | a bit for each word | number of words (5 bits, on 64 bits 6) | 1 |      or the address of a Bitmap
/// ```
///
/// ```
/// use heapbase_gc::{Bitmap, Shape};
///
/// // A pointer, a length, a capacity: a slice.
/// const SLICE: Shape = Shape::new(3, 0b001);
/// assert!(SLICE.is_pointer(0) && !SLICE.is_pointer(1) && SLICE.is_pointer(3));
///
/// static WIDE: Bitmap<9> = Bitmap::new(65, [0, 0, 0, 0, 0, 0, 0, 0x80, 1]);
/// assert!(Shape::of(&WIDE).is_pointer(63) && Shape::of(&WIDE).is_pointer(64) && !Shape::of(&WIDE).is_pointer(65));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shape(*const ());

// SAFETY: a number, or the address of a static that nobody writes to.
unsafe impl Send for Shape {}
// SAFETY: as above.
unsafe impl Sync for Shape {}

/// A pattern that does not fit into a word.
#[derive(Debug)]
#[repr(C)]
pub struct Bitmap<const BYTES: usize> {
    words: usize,
    bits: [u8; BYTES],
}

impl<const BYTES: usize> Bitmap<BYTES> {
    /// A pattern of `words` words; bit `n % 8` of `bits[n / 8]` says whether word `n` is an address.
    ///
    /// # Panics
    ///
    /// When there are no words, or not as many bytes as they need.
    pub const fn new(words: usize, bits: [u8; BYTES]) -> Self {
        assert!(words > 0 && words.div_ceil(8) == BYTES);
        Self { words, bits }
    }
}

impl Shape {
    /// A pattern of `words` words; bit `n` of `bits` says whether word `n` is an address.
    ///
    /// # Panics
    ///
    /// When there are no words, or they are too many: 26 fit on 32 bits, 57 on 64.
    pub const fn new(words: usize, bits: usize) -> Self {
        assert!(words > 0 && words <= usize::BITS as usize - 1 - SIZE_BITS && bits >> words == 0);
        Self(core::ptr::without_provenance(bits << (1 + SIZE_BITS) | words << 1 | 1))
    }

    /// A pattern of any length.
    pub const fn of<const BYTES: usize>(bitmap: &'static Bitmap<BYTES>) -> Self {
        Self(core::ptr::from_ref(bitmap).cast())
    }

    /// Whether a word of an object is an address.
    pub fn is_pointer(self, word: usize) -> bool {
        self.bit(word % self.words())
    }

    /// Words of the pattern.
    fn words(self) -> usize {
        let value = self.0.addr();
        // SAFETY: what is no odd number is the address of a bitmap, which starts with how many words it has.
        if value & 1 != 0 { value >> 1 & ((1 << SIZE_BITS) - 1) } else { unsafe { self.0.cast::<usize>().read() } }
    }

    /// Whether a word of the pattern is an address.
    fn bit(self, word: usize) -> bool {
        let value = self.0.addr();
        if value & 1 != 0 {
            return value >> (1 + SIZE_BITS) >> word & 1 != 0;
        }
        // SAFETY: otherwise it is the address of a bitmap: a number of words, and bytes enough for them.
        unsafe { self.0.cast::<usize>().add(1).cast::<u8>().add(word / 8).read() >> (word % 8) & 1 != 0 }
    }
}

impl Description {
    /// What a compiler's layout word says: null that nothing is known; else it is a [`Shape`]'s, perhaps one without addresses.
    ///
    /// # Safety
    ///
    /// The word is null, one of [`Shape::new`]'s, or the address of a [`Bitmap`] that stays.
    pub unsafe fn of_layout(word: *const ()) -> Self {
        let value = word.addr();
        match value & 1 {
            0 if value == 0 => Self::Scanned,
            1 if value >> (1 + SIZE_BITS) == 0 => Self::Leaf,
            _ => Self::Precise(Shape(word)),
        }
    }
}

/// What a segment's objects hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Leaf,
    Scanned,
    /// The segment holds a shape for each.
    Precise,
}
