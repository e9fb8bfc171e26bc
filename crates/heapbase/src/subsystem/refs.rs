//! A count of those who keep something alive, apart from the atomic it uses, so that loom can try every order of threads.

use core::sync::atomic::Ordering;

/// A word that counts.
pub(crate) trait Word {
    /// Adds, and returns what was there before.
    fn add(&self, count: usize, order: Ordering) -> usize;
    /// Subtracts, and returns what was there before.
    fn subtract(&self, count: usize, order: Ordering) -> usize;
    /// Makes what others wrote before they subtracted visible here.
    fn settle(&self);
}

/// One more keeps it alive. The caller is one who does, so nobody needs to be waited for.
#[inline(always)]
pub(crate) fn hold(count: &impl Word) {
    let before = count.add(1, Ordering::Relaxed);
    // As in the standard library: a program that forgets its handles in a loop must not come round to 0.
    if before > isize::MAX as usize {
        overflow();
    }
}

/// One keeps it alive no more. True: this was the last one, and whatever the others did with it is visible from here on.
#[inline(always)]
#[must_use]
pub(crate) fn let_go(count: &impl Word) -> bool {
    if count.subtract(1, Ordering::Release) != 1 {
        return false;
    }
    count.settle();
    true
}

/// A double panic ends the program wherever panics unwind; where they abort, the first one does.
#[cold]
fn overflow() -> ! {
    struct Again;
    impl Drop for Again {
        fn drop(&mut self) {
            panic!("more references than an address space can hold");
        }
    }
    let _again = Again;
    panic!("more references than an address space can hold");
}
