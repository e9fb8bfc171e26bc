//! What a subsystem writes down: for one thread in cells, for many in atomics.

use super::{Figures, refs::Word};
use core::{cell::Cell, sync::atomic::Ordering};

/// How a [`Subsystem`](super::Subsystem) keeps its books: [`OneThread`] or [`ManyThreads`]. Nobody else implements it.
pub trait Books: sealed::Ledger + 'static {}

/// The books of a subsystem that one thread uses; the compiler keeps others out. One word is read and written for each
/// allocation, and another for each block that comes back.
///
/// While the parent serves a request that raises the peak, the peak counts it; a parent that meanwhile asks this very subsystem, and fails
/// afterwards, leaves it counted.
///
/// Both kinds of call work on a word of their own because each then waits for its own kind only: with one word for both, a
/// request waits for the return before it, and that for the request before.
#[derive(Debug)]
pub struct OneThread {
    /// Bytes that may be given out before anything else is to be looked at.
    left: Cell<usize>,
    /// Bytes that came back and are not in `left` yet.
    back: Cell<usize>,
    /// The peak, or the budget if that was set lower, or what is live if that is more: what is live is this less `left` and `back`.
    ceiling: Cell<usize>,
    peak: Cell<usize>,
    /// If the last request raised the peak, by how many bytes it asked, else 0; and the peak before: should the parent fail.
    raised_by: Cell<usize>,
    raised_from: Cell<usize>,
    budget: Cell<usize>,
    refused: Cell<usize>,
    failed: Cell<usize>,
}

pub(crate) mod sealed {
    use super::{Figures, Word};
    use core::fmt::Debug;

    #[allow(private_bounds, reason = "nobody else implements it")]
    /// Budget, counters, and the kind of reference count that goes with them.
    pub trait Ledger: Debug {
        /// Nothing live, no limit.
        const EMPTY: Self;
        /// One thread keeps these books. Then nobody can ask for memory between a block's bytes going off the books and the block
        /// going back, and nobody can return the last block while somebody else drops the last handle.
        const ALONE: bool;
        /// Counts references.
        type Count: Word + Debug;
        /// What is known of a request that was admitted, until the parent has served it.
        type Admitted;

        /// A count of one.
        fn one() -> Self::Count;
        /// Books `bytes` if that takes no thought. `None`: nothing is changed that `consider` does not put right.
        fn admit(&self, bytes: usize) -> Option<Self::Admitted>;
        /// Books `bytes`, which `admit` did not, if the budget allows them. `None`: the request counts as refused.
        fn consider(&self, bytes: usize) -> Option<Self::Admitted>;
        /// The parent served a request that `admit` or `consider` booked.
        fn confirm(&self, admitted: Self::Admitted);
        /// The parent did not: the books are as before, and the request counts as failed.
        fn withdraw(&self, bytes: usize);
        /// Takes `bytes` that were given out off the books.
        fn give_back(&self, bytes: usize);
        /// Nothing is live.
        fn is_empty(&self) -> bool;
        /// Sets the most that may be live.
        fn set_budget(&self, bytes: usize);
        /// What is written.
        fn figures(&self, name: &'static str) -> Figures;
    }
}

impl OneThread {
    fn live(&self) -> usize {
        self.ceiling.get().wrapping_sub(self.left.get()).wrapping_sub(self.back.get())
    }

    fn set_ceiling(&self, live: usize) {
        self.raised_by.set(0);
        self.ceiling.set(self.peak.get().min(self.budget.get()).max(live));
        self.left.set(self.ceiling.get() - live);
        self.back.set(0);
    }
}

impl sealed::Ledger for OneThread {
    const EMPTY: Self = Self {
        left: Cell::new(0),
        back: Cell::new(0),
        ceiling: Cell::new(0),
        peak: Cell::new(0),
        raised_by: Cell::new(0),
        raised_from: Cell::new(0),
        budget: Cell::new(usize::MAX),
        refused: Cell::new(0),
        failed: Cell::new(0),
    };
    const ALONE: bool = true;
    type Count = CellCount;
    type Admitted = ();

    fn one() -> CellCount {
        CellCount::one()
    }

    #[inline(always)]
    fn admit(&self, bytes: usize) -> Option<()> {
        let left = self.left.get();
        // Written before it is known whether it fits: subtracting in memory then is one instruction.
        self.left.set(left.wrapping_sub(bytes));
        (bytes <= left).then_some(())
    }

    #[cold]
    #[inline(never)]
    fn consider(&self, bytes: usize) -> Option<()> {
        self.left.set(self.left.get().wrapping_add(bytes));
        let live = self.live();
        self.set_ceiling(live);
        if bytes > self.left.get() {
            // Above the peak or above the budget.
            // Who asks for nothing more, as a resize to the same size does, gets it, even if the budget was set lower.
            if bytes > self.budget.get().saturating_sub(live) {
                self.refused.set(self.refused.get() + 1);
                return None;
            }
            self.raised_by.set(bytes);
            self.raised_from.set(self.peak.replace(live + bytes));
            self.ceiling.set(live + bytes);
            self.left.set(bytes);
        }
        self.left.set(self.left.get() - bytes);
        Some(())
    }

    #[inline(always)]
    fn confirm(&self, (): ()) {}

    #[cold]
    fn withdraw(&self, bytes: usize) {
        // A request that raised the peak left nothing to admit but requests for nothing, so it was the last, and this is it.
        if bytes > 0 && self.raised_by.get() == bytes {
            self.peak.set(self.raised_from.get());
        }
        self.left.set(self.left.get() + bytes);
        self.set_ceiling(self.live());
        self.failed.set(self.failed.get() + 1);
    }

    #[inline(always)]
    fn give_back(&self, bytes: usize) {
        self.back.set(self.back.get().wrapping_add(bytes));
    }

    fn is_empty(&self) -> bool {
        self.live() == 0
    }

    fn set_budget(&self, bytes: usize) {
        let live = self.live();
        self.budget.set(bytes);
        self.set_ceiling(live);
    }

    fn figures(&self, name: &'static str) -> Figures {
        Figures {
            name,
            budget: self.budget.get(),
            live: self.live(),
            peak: self.peak.get(),
            refused: self.refused.get(),
            failed: self.failed.get(),
        }
    }
}

impl Books for OneThread {}

/// A count for one thread.
#[derive(Debug)]
pub struct CellCount(Cell<usize>);

impl CellCount {
    pub(crate) const fn one() -> Self {
        Self(Cell::new(1))
    }
}

impl Word for CellCount {
    #[inline(always)]
    fn add(&self, count: usize, _: Ordering) -> usize {
        self.0.replace(self.0.get() + count)
    }

    #[inline(always)]
    fn subtract(&self, count: usize, _: Ordering) -> usize {
        self.0.replace(self.0.get() - count)
    }

    #[inline(always)]
    fn settle(&self) {}
}

#[cfg(target_has_atomic = "ptr")]
pub(crate) use many::AtomicCount;
#[cfg(target_has_atomic = "ptr")]
pub use many::ManyThreads;

#[cfg(target_has_atomic = "ptr")]
mod many {
    use super::{Books, Figures, Word, sealed};
    use crate::subsystem::account::{self, Total};
    use core::sync::atomic::{AtomicUsize, Ordering, fence};

    /// The books of a subsystem that many threads use. At no moment is more live than the budget allows. The peak counts
    /// what other threads had asked for and not yet received as live.
    #[derive(Debug)]
    pub struct ManyThreads {
        live: AtomicUsize,
        peak: AtomicUsize,
        budget: AtomicUsize,
        refused: AtomicUsize,
        failed: AtomicUsize,
    }

    impl Total for AtomicUsize {
        #[inline(always)]
        fn read(&self) -> usize {
            self.load(Ordering::Relaxed)
        }

        #[inline(always)]
        fn change(&self, from: usize, to: usize) -> Result<usize, usize> {
            self.compare_exchange_weak(from, to, Ordering::Relaxed, Ordering::Relaxed)
        }

        #[inline(always)]
        fn raise(&self, to: usize) {
            // Mostly it is so high already, and reading leaves the line shared.
            if self.load(Ordering::Relaxed) < to {
                self.fetch_max(to, Ordering::Relaxed);
            }
        }

        #[inline(always)]
        fn lower(&self, by: usize) {
            self.fetch_sub(by, Ordering::Relaxed);
        }
    }

    impl sealed::Ledger for ManyThreads {
        const EMPTY: Self = Self {
            live: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            budget: AtomicUsize::new(usize::MAX),
            refused: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        };
        const ALONE: bool = false;
        type Count = AtomicCount;
        type Admitted = usize;

        fn one() -> AtomicCount {
            AtomicCount::one()
        }

        #[inline]
        fn admit(&self, bytes: usize) -> Option<usize> {
            account::admit(&self.live, &self.budget, bytes)
        }

        fn consider(&self, bytes: usize) -> Option<usize> {
            let live = self.admit(bytes);
            if live.is_none() {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            live
        }

        #[inline(always)]
        fn confirm(&self, live: usize) {
            self.peak.raise(live);
        }

        #[cold]
        fn withdraw(&self, bytes: usize) {
            self.live.lower(bytes);
            self.failed.fetch_add(1, Ordering::Relaxed);
        }

        #[inline(always)]
        fn give_back(&self, bytes: usize) {
            self.live.lower(bytes);
        }

        fn is_empty(&self) -> bool {
            self.live.read() == 0
        }

        fn set_budget(&self, bytes: usize) {
            self.budget.store(bytes, Ordering::Relaxed);
        }

        fn figures(&self, name: &'static str) -> Figures {
            Figures {
                name,
                budget: self.budget.read(),
                live: self.live.read(),
                peak: self.peak.read(),
                refused: self.refused.read(),
                failed: self.failed.read(),
            }
        }
    }

    impl Books for ManyThreads {}

    /// A count for many threads.
    #[derive(Debug)]
    pub struct AtomicCount(AtomicUsize);

    impl AtomicCount {
        pub(crate) const fn one() -> Self {
            Self(AtomicUsize::new(1))
        }
    }

    impl Word for AtomicCount {
        #[inline(always)]
        fn add(&self, count: usize, order: Ordering) -> usize {
            self.0.fetch_add(count, order)
        }

        #[inline(always)]
        fn subtract(&self, count: usize, order: Ordering) -> usize {
            self.0.fetch_sub(count, order)
        }

        #[inline(always)]
        fn settle(&self) {
            fence(Ordering::Acquire);
        }
    }
}
