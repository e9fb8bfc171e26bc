//! A yardstick for memory: a placement made in the knowledge of the whole future.
//!
//! Each block, from the step that allocates or resizes it to the step that ends that, is a rectangle: so many bytes high, so
//! many steps long. Placing rectangles so that none overlap and the highest ends as low as possible is *dynamic storage
//! allocation*, which is NP-hard; the best of several greedy orders is taken, each rectangle at the lowest place that is free for
//! all of its time. A resized block may lie somewhere else from then on without ever being in two places. So no allocator that
//! cannot move blocks does better than the best placement, and this one shows what can at least be reached by one that
//! knows what will be freed and when.

use crate::workloads::{Step, Workload};
use std::collections::BTreeMap;

/// A block of one size, from a step to another.
#[derive(Clone, Copy)]
struct Stay {
    from: u32,
    to: u32,
    size: u64,
}

fn stays(workload: &Workload) -> Vec<Stay> {
    let mut open: BTreeMap<u32, (u32, u64)> = BTreeMap::new();
    let mut all = Vec::new();
    let rounded = |size: u32| u64::from(size).next_multiple_of(8);
    for (now, step) in (0..).zip(workload.steps()) {
        let (slot, size) = match step {
            Step::Allocate { slot, size } => (slot, Some(size)),
            Step::Resize { slot, size } => (slot, Some(size)),
            Step::Free { slot } => (slot, None),
        };
        if let Some((from, size)) = open.remove(&slot) {
            all.push(Stay { from, to: now, size });
        }
        if let Some(size) = size {
            open.insert(slot, (now, rounded(size)));
        }
    }
    all.extend(open.into_values().map(|(from, size)| Stay { from, to: u32::MAX, size }));
    all
}

/// Places all in this order; returns where the highest ends, or none as soon as that is not below `limit`.
fn place(stays: &[Stay], limit: u64) -> Option<u64> {
    // By address.
    let mut placed: Vec<(u64, Stay)> = Vec::with_capacity(stays.len());
    let mut highest = 0;
    for stay in stays {
        let mut at = 0;
        for (other_at, other) in &placed {
            if other.from < stay.to && stay.from < other.to {
                if *other_at >= at + stay.size {
                    break;
                }
                at = at.max(other_at + other.size);
            }
        }
        highest = highest.max(at + stay.size);
        if highest >= limit {
            return None;
        }
        let index = placed.partition_point(|(other_at, _)| *other_at <= at);
        placed.insert(index, (at, *stay));
    }
    Some(highest)
}

/// Bytes from the heap's start to the highest address that a workload uses, in the best placement found.
pub fn bytes(workload: &Workload) -> u64 {
    let mut stays = stays(workload);
    let mut best = u64::MAX;
    let time = |stay: &Stay| u64::from(stay.to - stay.from);
    let orders: [fn(&Stay, u64) -> u64; 4] = [
        |stay, _| stay.size,
        |stay, time| stay.size.saturating_mul(time),
        |_, time| time,
        |stay, time| stay.size.saturating_mul(stay.size).saturating_mul(time),
    ];
    for order in orders {
        stays.sort_by_key(|stay| std::cmp::Reverse((order(stay, time(stay)), time(stay))));
        best = best.min(place(&stays, best).unwrap_or(best));
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_that_opens_later_is_used_by_what_comes_later() {
        let stay = |from, to, size| Stay { from, to, size };
        // The second block outlives the first; the third, which comes after the first, fits below it.
        let stays = [stay(0, 10, 64), stay(5, 30, 64), stay(12, 20, 64)];
        assert_eq!(place(&stays, u64::MAX), Some(128));
        assert_eq!(place(&stays, 128), None);
    }
}
