//! A world of objects and an oracle, for any allocator: needs `alloc` only, so that it also runs inside a module.
//!
//! The oracle knows what refers to what, and so which objects a collection must leave, to the last one: whatever is kept beyond
//! that, or lost, or written over, is found. Edges lead to any byte of an object. Leaves and shapes are given words that look like
//! edges and are none.

#![allow(unreachable_pub, dead_code, reason = "shared by several test programs")]

extern crate alloc;

pub mod cases;

#[path = "../../../heapbase/tests/driver/xorshift.rs"]
mod xorshift;

use alloc::{collections::BTreeMap, vec::Vec};
use allocator_api2::alloc::Allocator;
use core::ptr::NonNull;
use heapbase_gc::{Collector, Description, Shape};
use xorshift::Random;

/// A name, an edge, a word that looks like one.
const SHAPE: Shape = Shape::new(3, 0b010);

/// No address lies here: above what a module's memory or a process has.
const NAME: usize = 0xf << (usize::BITS - 4);

struct Object {
    at: NonNull<u8>,
    words: usize,
    description: Description,
    /// For each word, which object it refers to.
    edges: Vec<Option<usize>>,
}

/// A heap and what must be in it.
pub struct World<A: Allocator> {
    pub heap: Collector<A>,
    objects: BTreeMap<usize, Object>,
    roots: Vec<usize>,
    named: usize,
    random: Random,
    /// What decides before chance does, from the last on.
    pub script: Vec<u16>,
    /// Allocations that found no memory.
    pub denied: usize,
}

impl<A: Allocator> World<A> {
    pub fn new(heap: Collector<A>, seed: u64) -> Self {
        Self {
            heap,
            objects: BTreeMap::new(),
            roots: Vec::new(),
            named: 0,
            random: Random(seed | 1),
            script: Vec::new(),
            denied: 0,
        }
    }

    fn next(&mut self) -> usize {
        self.script.pop().map_or_else(|| (self.random.next() >> 33) as usize, usize::from)
    }

    fn pick(&mut self) -> Option<usize> {
        let index = self.next() % self.objects.len().max(1);
        self.objects.keys().nth(index).copied()
    }

    fn root_words(&self) -> Vec<usize> {
        self.roots.iter().map(|name| self.objects[name].at.addr().get()).collect()
    }

    /// Does one thing.
    pub fn step(&mut self) {
        match self.next() % 64 {
            0..=30 => self.allocate(),
            31..=48 => self.link(),
            49..=52 => {
                let picked = self.pick();
                self.roots.extend(picked);
            }
            53..=60 => {
                if !self.roots.is_empty() {
                    let index = self.next() % self.roots.len();
                    self.roots.swap_remove(index);
                }
            }
            61 => self.free_at_once(),
            // Seldom, as the heap decides for itself too.
            62 if self.next().is_multiple_of(8) => self.collect(),
            _ => self.look(),
        }
    }

    fn size(&mut self) -> usize {
        match self.next() % 32 {
            0 => 1 + self.next() % 3_000,
            1..=4 => 1 + self.next() % 300,
            _ => 1 + self.next() % 12,
        }
    }

    fn request(&mut self, words: usize, description: Description) -> Option<NonNull<u8>> {
        let before = self.heap.statistics().collections;
        let roots = self.root_words();
        // SAFETY: what the oracle uses is reachable from the roots, or forgotten at the next collection.
        let at = unsafe {
            self.heap.allocate(words * size_of::<usize>(), description, |marker| {
                roots.iter().for_each(|root| marker.word(*root))
            })
        };
        if self.heap.statistics().collections != before {
            self.forget_unreachable();
        }
        self.denied += usize::from(at.is_none());
        at
    }

    fn allocate(&mut self) {
        let words = self.size();
        let description = match self.next() % 4 {
            0 => Description::Leaf,
            1 => Description::Precise(SHAPE),
            _ => Description::Scanned,
        };
        let Some(at) = self.request(words, description) else { return };
        assert_eq!(at.addr().get() % (2 * size_of::<usize>()), 0);
        assert_eq!(self.heap.object_at(at.addr().get() + words * size_of::<usize>() - 1), Some(at), "to its last byte");
        self.named += 1;
        let name = self.named;
        let object = Object { at, words, description, edges: alloc::vec![None; words] };
        // SAFETY: so many words.
        unsafe {
            assert!((0..words).all(|word| at.cast::<usize>().add(word).read() == 0), "all of it is 0");
            at.cast::<usize>().write(NAME | name);
        }
        self.objects.insert(name, object);
        if !self.next().is_multiple_of(3) {
            self.roots.push(name);
        }
    }

    /// Writes an edge, or what looks like one where none may be.
    fn link(&mut self) {
        let (Some(from), Some(to)) = (self.pick(), self.pick()) else { return };
        let (word, inside) = (self.next(), self.next());
        let target = &self.objects[&to];
        let value = target.at.addr().get() + inside % (target.words * size_of::<usize>());
        let Some(object) = self.objects.get_mut(&from) else { return };
        let word = word % object.words;
        if word == 0 {
            return;
        }
        object.edges[word] = match object.description {
            Description::Leaf => None,
            Description::Precise(shape) if !shape.is_pointer(word) => None,
            _ => Some(to),
        };
        // SAFETY: inside of the object, which was not collected: the oracle would have forgotten it.
        unsafe { object.at.cast::<usize>().add(word).write(value) };
    }

    fn free_at_once(&mut self) {
        let words = self.size();
        let before = self.heap.statistics().objects;
        if let Some(at) = self.request(words, Description::Scanned) {
            // SAFETY: nobody else knows it.
            unsafe { self.heap.free(at) };
            assert_eq!(self.heap.object_at(at.addr().get()), None);
            assert!(self.heap.statistics().objects <= before);
        }
    }

    /// Looks at an object through an edge of another.
    fn look(&mut self) {
        let Some(name) = self.pick() else { return };
        self.check(name);
    }

    fn check(&self, name: usize) {
        let object = &self.objects[&name];
        // SAFETY: the oracle forgets what a collection may have freed.
        unsafe {
            assert_eq!(object.at.cast::<usize>().read(), NAME | name, "an object keeps its contents");
            for (word, to) in object.edges.iter().enumerate().filter_map(|(word, to)| Some((word, (*to)?))) {
                // What an edge leads to may have been unreachable, and collected, only if this was so too.
                let to = &self.objects[&to];
                let value = object.at.cast::<usize>().add(word).read();
                assert_eq!(self.heap.object_at(value), Some(to.at));
            }
        }
    }

    /// Collects, and compares.
    pub fn collect(&mut self) {
        let roots = self.root_words();
        // SAFETY: as for `request`.
        unsafe { self.heap.collect(|marker| roots.iter().for_each(|root| marker.word(*root))) };
        self.forget_unreachable();
        self.objects.keys().for_each(|name| self.check(*name));
        let statistics = self.heap.statistics();
        assert!(statistics.held_bytes >= statistics.live_bytes && statistics.peak_bytes >= statistics.held_bytes);
        assert_eq!(statistics.allocated - statistics.freed, statistics.objects as u64);
    }

    fn forget_unreachable(&mut self) {
        let mut reached = BTreeMap::new();
        let mut pending: Vec<usize> = self.roots.clone();
        while let Some(name) = pending.pop() {
            if reached.insert(name, ()).is_none() {
                pending.extend(self.objects[&name].edges.iter().flatten());
            }
        }
        self.objects.retain(|name, _| reached.contains_key(name));
        // The request that collected may have been served already.
        let objects = self.heap.statistics().objects;
        assert!(
            objects == self.objects.len() || objects == self.objects.len() + 1,
            "{objects} and {}",
            self.objects.len()
        );
    }

    /// Drops all roots: nothing may be left.
    pub fn end(&mut self) {
        self.collect();
        assert_eq!(self.heap.statistics().objects, self.objects.len(), "no more and no less than what is reachable");
        self.roots.clear();
        self.collect();
        assert_eq!((self.heap.statistics().objects, self.heap.statistics().live_bytes), (0, 0));
    }
}

/// Worlds over memories that `fresh` makes, one after the other.
pub fn walk<A: Allocator>(steps: usize, worlds: u64, fresh: impl Fn() -> A) -> usize {
    let mut collections = 0;
    for seed in 0..worlds {
        let mut world = World::new(Collector::new(fresh()), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if seed % 3 == 1 {
            world.heap.set_limit(300_000 + 20_000 * seed as usize);
        }
        (0..steps).for_each(|_| world.step());
        world.end();
        collections += world.heap.statistics().collections;
    }
    collections
}
