//! The spin lock's algorithm, apart from the atomic it uses, so that loom can try every order of threads.

use core::sync::atomic::Ordering;

/// An atomic flag.
pub(crate) trait Flag {
    /// Sets the flag if it is clear; may fail for no reason.
    fn take(&self, success: Ordering, failure: Ordering) -> bool;
    /// Whether the flag is set.
    fn is_taken(&self, order: Ordering) -> bool;
    /// Clears the flag.
    fn put(&self, order: Ordering);
    /// Lets others go on.
    fn wait(&self);
}

/// Waits until the flag is clear, and sets it. What the last holder wrote is visible from here on.
#[inline(always)]
pub(crate) fn acquire(flag: &impl Flag) {
    while !flag.take(Ordering::Acquire, Ordering::Relaxed) {
        // Reading until it looks clear keeps the line shared among those who wait.
        while flag.is_taken(Ordering::Relaxed) {
            flag.wait();
        }
    }
}

/// Clears the flag. What was written before is visible to the next holder.
#[inline(always)]
pub(crate) fn release(flag: &impl Flag) {
    flag.put(Ordering::Release);
}
