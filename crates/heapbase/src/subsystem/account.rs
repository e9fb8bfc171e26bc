//! A budget's arithmetic between threads, apart from the atomics it uses, so that loom can try every order of threads.

/// A total that threads share. Nothing else is published through it, so no order between memory accesses is asked for.
pub(crate) trait Total {
    /// The present value.
    fn read(&self) -> usize;
    /// Changes the value if it is `from`; may fail for no reason. Returns what was there.
    fn change(&self, from: usize, to: usize) -> Result<usize, usize>;
    /// Makes it at least `to`.
    fn raise(&self, to: usize);
    /// Subtracts.
    fn lower(&self, by: usize);
}

/// Adds `bytes` to `live` unless that would pass `budget`; returns what is live then.
///
/// Nothing is always allowed, also where the budget was set below what is live.
///
/// Adding first and taking back what was too much would let a request that is refused push another one, which has room,
/// over the edge.
#[inline(always)]
pub(crate) fn admit(live: &impl Total, budget: &impl Total, bytes: usize) -> Option<usize> {
    let mut before = live.read();
    loop {
        let after = before.checked_add(bytes).filter(|after| bytes == 0 || *after <= budget.read())?;
        match live.change(before, after) {
            Ok(_) => return Some(after),
            Err(now) => before = now,
        }
    }
}
