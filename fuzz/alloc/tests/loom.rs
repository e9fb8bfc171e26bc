//! The lock under every order of its threads that loom can find.

#[path = "../../../crates/heapbase/src/wrappers/spin.rs"]
mod spin;

use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

struct LoomFlag(AtomicBool);

impl spin::Flag for LoomFlag {
    fn take(&self, success: Ordering, failure: Ordering) -> bool {
        self.0.compare_exchange_weak(false, true, success, failure).is_ok()
    }

    fn is_taken(&self, order: Ordering) -> bool {
        self.0.load(order)
    }

    fn put(&self, order: Ordering) {
        self.0.store(false, order);
    }

    fn wait(&self) {
        thread::yield_now();
    }
}

/// A counter behind the lock: loom reports any access that the lock does not order.
struct Guarded {
    flag: LoomFlag,
    count: UnsafeCell<usize>,
}

fn count_on(threads: usize, times: usize, bound: usize) {
    let mut model = loom::model::Builder::new();
    // Without a bound on forced switches, spinning has no end of orders.
    model.preemption_bound = Some(bound);
    model.max_branches = 20_000;
    model.check(move || {
        let guarded = Arc::new(Guarded { flag: LoomFlag(AtomicBool::new(false)), count: UnsafeCell::new(0) });
        let count = |guarded: &Guarded| {
            spin::acquire(&guarded.flag);
            // SAFETY: the lock is held; that this suffices is what loom tests.
            guarded.count.with_mut(|count| unsafe { *count += 1 });
            spin::release(&guarded.flag);
        };
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let guarded = guarded.clone();
                thread::spawn(move || (0..times).for_each(|_| count(&guarded)))
            })
            .collect();
        (0..times).for_each(|_| count(&guarded));
        others.into_iter().for_each(|other| other.join().unwrap());
        spin::acquire(&guarded.flag);
        // SAFETY: the lock is held.
        assert_eq!(guarded.count.with(|count| unsafe { *count }), threads * times);
        spin::release(&guarded.flag);
    });
}

#[test]
fn two_threads_twice() {
    count_on(2, 2, 3);
}

#[test]
fn three_threads_once() {
    count_on(3, 1, 1);
}
