//! Reference counts and budgets under every order of their threads that loom can find.

#[path = "../../../crates/heapbase/src/subsystem/account.rs"]
mod account;
#[path = "../../../crates/heapbase/src/subsystem/refs.rs"]
mod refs;

use account::Total;
use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering, fence},
    },
    thread,
};
use refs::{Word, hold, let_go};

struct Count(AtomicUsize);

impl Word for Count {
    fn add(&self, count: usize, order: Ordering) -> usize {
        self.0.fetch_add(count, order)
    }

    fn subtract(&self, count: usize, order: Ordering) -> usize {
        self.0.fetch_sub(count, order)
    }

    fn settle(&self) {
        fence(Ordering::Acquire);
    }
}

struct Bytes(AtomicUsize);

impl Total for Bytes {
    fn read(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn change(&self, from: usize, to: usize) -> Result<usize, usize> {
        self.0.compare_exchange_weak(from, to, Ordering::Relaxed, Ordering::Relaxed)
    }

    fn raise(&self, to: usize) {
        self.0.fetch_max(to, Ordering::Relaxed);
    }

    fn lower(&self, by: usize) {
        self.0.fetch_sub(by, Ordering::Relaxed);
    }
}

/// What a count keeps alive: each thread looks at it while it is counted, the last one ends it. Loom reports an end that
/// is not ordered behind every look.
struct Kept {
    count: Count,
    ends: UnsafeCell<usize>,
}

fn leave(kept: &Kept) -> bool {
    // SAFETY: counted; that nobody ends it meanwhile is what loom tests.
    kept.ends.with(|ends| assert_eq!(unsafe { *ends }, 0));
    let last = let_go(&kept.count);
    if last {
        // SAFETY: nobody is counted; that nobody looks any more is what loom tests.
        kept.ends.with_mut(|ends| unsafe { *ends += 1 });
    }
    last
}

#[test]
fn the_last_of_three_ends_it_once() {
    loom::model(|| {
        let kept = Arc::new(Kept { count: Count(AtomicUsize::new(1)), ends: UnsafeCell::new(0) });
        let others: Vec<_> = (0..2)
            .map(|_| {
                hold(&kept.count);
                let kept = kept.clone();
                // A thread makes a handle of its own from the one that it has, and drops both.
                thread::spawn(move || {
                    hold(&kept.count);
                    let first = leave(&kept);
                    usize::from(first) + usize::from(leave(&kept))
                })
            })
            .collect();
        let ended = usize::from(leave(&kept));
        let ended = ended + others.into_iter().map(|other| other.join().unwrap()).sum::<usize>();
        assert_eq!(ended, 1);
    });
}

#[test]
fn a_budget_is_never_passed_and_a_refusal_costs_nobody_anything() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let books = Arc::new([0, 0, 10].map(|bytes| Bytes(AtomicUsize::new(bytes))));
        // Six and four fit together; eleven never does, and must not keep the others out while it is refused.
        let others: Vec<_> = [6, 11]
            .map(|bytes| {
                let books = books.clone();
                thread::spawn(move || {
                    let [live, peak, budget] = &*books;
                    let admitted = account::admit(live, budget, bytes);
                    if let Some(now) = admitted {
                        assert!(now <= 10);
                        peak.raise(now);
                    }
                    admitted.is_some()
                })
            })
            .into();
        let [live, peak, budget] = &*books;
        assert!(account::admit(live, budget, 4).is_some_and(|now| now == 4 || now == 10));
        let served: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).collect();
        assert_eq!((served, live.read()), (vec![true, false], 10));
        live.lower(4);
        assert!(peak.read() >= 6 && account::admit(live, budget, 5).is_none());
    });
}
