//! A forest of subsystems and an oracle: parts made, nested, cloned, moved and dropped in any order, blocks and errors in them.
//!
//! The oracle computes what each subsystem's figures must be, refusals and failures included, and compares after each
//! operation. Contents are filled and compared. The bottom of the forest is the system's allocator, so that sanitizers see
//! each block, and at the end not a byte may be left there.

#![allow(unreachable_pub, dead_code, reason = "shared by several test programs")]

#[path = "../driver/xorshift.rs"]
mod xorshift;

use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
use core::{cell::Cell, ptr::NonNull};
use heapbase::{
    error::{Category, Error, Kind},
    subsystem::{Books, Figures, Shared, Subsystem},
};
use std::{rc::Rc, vec::Vec};
pub use xorshift::Random;

static FOREST: Category = Category::new("forest");
static FELLED: Kind = Kind::new(&FOREST, 1, "felled");

/// The system's allocator, which counts, and fails on demand.
#[derive(Clone, Default)]
pub struct Ground(Rc<State>);

#[derive(Default)]
struct State {
    live: Cell<usize>,
    fails: Cell<bool>,
}

/// What the ground gives for a layout: a little more, as allocators may.
fn given(layout: Layout) -> Layout {
    assert!(layout.size() > 0, "no bytes are nobody's to give");
    Layout::from_size_align(layout.size() + 16, layout.align()).expect("small")
}

// SAFETY: every block is the system's.
unsafe impl Allocator for Ground {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if self.0.fails.get() {
            return Err(AllocError);
        }
        self.0.live.set(self.0.live.get() + layout.size());
        Global.allocate(given(layout))
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        self.0.live.set(self.0.live.get() - layout.size());
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, given(layout)) }
    }

    // Needs no memory, so it never fails: the oracle counts on that.
    unsafe fn shrink(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.0.live.set(self.0.live.get() + new.size() - old.size());
        // SAFETY: the caller's promise.
        unsafe { Global.shrink(block, given(old), given(new)) }
    }
}

/// What a subsystem of the forest takes its memory from.
pub enum Parent<B: Books> {
    Ground(Ground),
    Part(Shared<Parent<B>, B>),
}

// SAFETY: each block is that of the one or the other, whose handle lives here.
unsafe impl<B: Books> Allocator for Parent<B> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        match self {
            Self::Ground(ground) => ground.allocate(layout),
            Self::Part(part) => part.allocate(layout),
        }
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Ground(ground) => ground.deallocate(block, layout),
                Self::Part(part) => part.deallocate(block, layout),
            }
        }
    }

    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Ground(ground) => ground.grow(block, old, new),
                Self::Part(part) => part.grow(block, old, new),
            }
        }
    }

    unsafe fn shrink(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Ground(ground) => ground.shrink(block, old, new),
                Self::Part(part) => part.shrink(block, old, new),
            }
        }
    }
}

/// One thing to do. Any value makes sense: indices and sizes are reduced.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// A new subsystem on the ground.
    Plant,
    /// A new subsystem in another.
    Nest { within: u32 },
    /// Another handle.
    Clone { handle: u32 },
    /// One handle less.
    Drop { handle: u32 },
    /// Two handles change places in memory.
    Move { one: u32, other: u32 },
    /// A block.
    Allocate { handle: u32, size: u32 },
    /// A block gets another size, perhaps 0.
    Resize { block: u32, size: u32 },
    /// A block less.
    Free { block: u32 },
    /// An error, with a message and perhaps the cause of an earlier one.
    Raise { handle: u32, message: u32, cause: Option<u32> },
    /// Another reference to an error.
    Share { error: u32 },
    /// One less.
    Forgive { error: u32 },
    /// A budget.
    Budget { handle: u32, bytes: u32 },
    /// The ground has nothing from now on, or has again.
    Fail { fail: bool },
    /// Ends a subsystem if this is its last handle and nothing is in it.
    Close { handle: u32 },
}

/// What the oracle knows of a subsystem.
struct Part {
    parent: Option<usize>,
    figures: Figures,
    /// Handles, blocks, errors and subsystems in it.
    users: usize,
}

/// A block of any size and alignment, and the handle that it came from.
struct Block<B: Books> {
    handle: Shared<Parent<B>, B>,
    start: NonNull<u8>,
    layout: Layout,
    part: usize,
    fill: u8,
}

/// Alignments from 1 to 128, as the size happens to be.
fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 1 << (size % 8)).expect("small")
}

impl<B: Books> Block<B> {
    /// No bytes.
    fn new(handle: Shared<Parent<B>, B>, part: usize, fill: u8) -> Self {
        let start = handle.allocate(layout(0)).expect("no memory is needed").cast();
        Self { handle, start, layout: layout(0), part, fill }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: a block of so many bytes, all of which `resize` has written.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.layout.size()) }
    }

    fn is_whole(&mut self) -> bool {
        let fill = self.fill;
        self.start.addr().get().is_multiple_of(self.layout.align()) && self.bytes().iter().all(|byte| *byte == fill)
    }

    /// False: nothing is changed.
    fn resize(&mut self, size: usize) -> bool {
        let (old, new) = (self.layout, layout(size));
        // SAFETY: the block is of this layout.
        let resized = unsafe {
            if new.size() >= old.size() {
                self.handle.grow(self.start, old, new)
            } else {
                self.handle.shrink(self.start, old, new)
            }
        };
        let Ok(resized) = resized else { return false };
        assert_eq!(resized.len(), size, "no more than is on the books");
        (self.start, self.layout) = (resized.cast(), new);
        let kept = old.size().min(size);
        // SAFETY: inside of the block.
        unsafe { self.start.add(kept).write_bytes(self.fill, size - kept) };
        true
    }
}

impl<B: Books> Drop for Block<B> {
    fn drop(&mut self) {
        // SAFETY: of this layout, and used no more.
        unsafe { self.handle.deallocate(self.start, self.layout) }
    }
}

struct Raised {
    error: Error<'static>,
    /// Where its payload is; `None` where there was no memory for one.
    payload: Option<usize>,
}

/// What the oracle knows of a payload.
struct Payload {
    part: usize,
    users: usize,
    bytes: usize,
    message: usize,
    cause: Option<usize>,
}

/// The forest.
pub struct Forest<B: Books> {
    ground: Ground,
    handles: Vec<(Shared<Parent<B>, B>, usize)>,
    blocks: Vec<Block<B>>,
    errors: Vec<Raised>,
    parts: Vec<Part>,
    payloads: Vec<Payload>,
    /// Bytes of a subsystem's own block, and of a payload without a message.
    own: usize,
    bare: usize,
    fill: u8,
    /// Requests that were not served.
    pub denied: u64,
}

impl<B: Books> Forest<B> {
    pub fn new() -> Self {
        let ground = Ground::default();
        let part =
            Shared::new(Subsystem::<_, B>::keeping("measure", Parent::<B>::Ground(ground.clone()))).expect("memory");
        let own = ground.0.live.get();
        let error = Error::build(&FELLED).message(&part, format_args!(""));
        let bare = part.figures().live;
        assert!(own > 0 && bare > 0 && !error.is_plain());
        drop((part, error));
        assert_eq!(ground.0.live.get(), 0);
        Self {
            ground,
            handles: Vec::new(),
            blocks: Vec::new(),
            errors: Vec::new(),
            parts: Vec::new(),
            payloads: Vec::new(),
            own,
            bare,
            fill: 0,
            denied: 0,
        }
    }

    /// Books a request of `part`, and says whether it must be served.
    fn request(&mut self, part: usize, bytes: usize) -> bool {
        let mut path = vec![part];
        while let Some(parent) = self.parts[path[path.len() - 1]].parent {
            path.push(parent);
        }
        let refuses =
            path.iter().position(|part| self.parts[*part].figures.live + bytes > self.parts[*part].figures.budget);
        let ends = refuses.or_else(|| self.ground.0.fails.get().then_some(path.len()));
        match ends {
            None => path.iter().for_each(|part| {
                let figures = &mut self.parts[*part].figures;
                figures.live += bytes;
                figures.peak = figures.peak.max(figures.live);
            }),
            Some(end) => {
                self.denied += 1;
                path[..end].iter().for_each(|part| self.parts[*part].figures.failed += 1);
                path[end..].iter().take(1).for_each(|part| self.parts[*part].figures.refused += 1);
            }
        }
        ends.is_none()
    }

    fn give_back(&mut self, part: usize, bytes: usize) {
        let mut at = Some(part);
        while let Some(part) = at {
            self.parts[part].figures.live -= bytes;
            at = self.parts[part].parent;
        }
    }

    /// One user of a part less: with the last one it goes.
    fn leave(&mut self, part: usize) {
        let mut at = Some(part);
        while let Some(part) = at {
            self.parts[part].users -= 1;
            if self.parts[part].users > 0 {
                return;
            }
            assert_eq!(self.parts[part].figures.live, 0);
            at = self.parts[part].parent;
            if let Some(parent) = at {
                self.give_back(parent, self.own);
            }
        }
    }

    /// One error less refers to a payload.
    fn forgive(&mut self, payload: usize) {
        let mut at = Some(payload);
        while let Some(payload) = at {
            self.payloads[payload].users -= 1;
            if self.payloads[payload].users > 0 {
                return;
            }
            let Payload { part, bytes, cause, .. } = self.payloads[payload];
            self.give_back(part, bytes);
            self.leave(part);
            at = cause;
        }
    }

    fn make(&mut self, parent: Option<(Shared<Parent<B>, B>, usize)>) {
        let (parent, within) = parent.map_or((None, None), |(handle, part)| (Some(handle), Some(part)));
        let served = match within {
            Some(part) => self.request(part, self.own),
            None => !self.ground.0.fails.get(),
        };
        let parent = parent.map_or_else(|| Parent::Ground(self.ground.clone()), Parent::Part);
        let made = Shared::new(Subsystem::keeping("part", parent));
        assert_eq!(made.is_ok(), served);
        let Ok(handle) = made else { return };
        let figures = handle.figures();
        if let Some(part) = within {
            self.parts[part].users += 1;
        }
        self.parts.push(Part { parent: within, figures, users: 1 });
        self.handles.push((handle, self.parts.len() - 1));
    }

    /// Does one thing, and compares.
    pub fn step(&mut self, op: Op) {
        let pick = |index: u32, len: usize| (len > 0).then(|| index as usize % len);
        match op {
            Op::Plant => self.make(None),
            Op::Nest { within } => {
                if let Some(at) = pick(within, self.handles.len()) {
                    let (handle, part) = &self.handles[at];
                    let parent = (handle.clone(), *part);
                    self.make(Some(parent));
                }
            }
            Op::Clone { handle } => {
                if let Some(at) = pick(handle, self.handles.len()) {
                    let (handle, part) = (self.handles[at].0.clone(), self.handles[at].1);
                    self.parts[part].users += 1;
                    self.handles.push((handle, part));
                }
            }
            Op::Drop { handle } => {
                if let Some(at) = pick(handle, self.handles.len()) {
                    let (handle, part) = self.handles.swap_remove(at);
                    drop(handle);
                    self.leave(part);
                }
            }
            Op::Move { one, other } => {
                if let (Some(one), Some(other)) = (pick(one, self.handles.len()), pick(other, self.handles.len())) {
                    self.handles.swap(one, other);
                }
            }
            Op::Allocate { handle, size } => {
                if let Some(at) = pick(handle, self.handles.len()) {
                    let (handle, part) = (self.handles[at].0.clone(), self.handles[at].1);
                    self.fill = self.fill.wrapping_add(1);
                    let mut block = Block::new(handle, part, self.fill);
                    self.parts[part].users += 1;
                    self.resize(&mut block, size as usize);
                    self.blocks.push(block);
                }
            }
            Op::Resize { block, size } => {
                if let Some(at) = pick(block, self.blocks.len()) {
                    let mut block = self.blocks.swap_remove(at);
                    self.resize(&mut block, size as usize);
                    self.blocks.push(block);
                }
            }
            Op::Free { block } => {
                if let Some(at) = pick(block, self.blocks.len()) {
                    let mut block = self.blocks.swap_remove(at);
                    let (part, bytes) = (block.part, block.layout.size());
                    assert!(block.is_whole(), "contents stay");
                    drop(block);
                    self.give_back(part, bytes);
                    self.leave(part);
                }
            }
            Op::Raise { handle, message, cause } => self.raise(handle, message as usize % 300, cause),
            Op::Share { error } => {
                if let Some(at) = pick(error, self.errors.len()) {
                    let Raised { error, payload } = &self.errors[at];
                    let copy = Raised { error: error.clone(), payload: *payload };
                    if let Some(payload) = copy.payload {
                        self.payloads[payload].users += 1;
                    }
                    self.errors.push(copy);
                }
            }
            Op::Forgive { error } => {
                if let Some(at) = pick(error, self.errors.len()) {
                    let Raised { error, payload } = self.errors.swap_remove(at);
                    if let Some(payload) = payload {
                        assert_eq!(error.message().len(), self.payloads[payload].message);
                        assert!(error.message().bytes().all(|byte| byte == b'.'));
                    }
                    drop(error);
                    if let Some(payload) = payload {
                        self.forgive(payload);
                    }
                }
            }
            Op::Budget { handle, bytes } => {
                if let Some(at) = pick(handle, self.handles.len()) {
                    let (handle, part) = &self.handles[at];
                    handle.set_budget(bytes as usize);
                    self.parts[*part].figures.budget = bytes as usize;
                }
            }
            Op::Fail { fail } => self.ground.0.fails.set(fail),
            Op::Close { handle } => {
                if let Some(at) = pick(handle, self.handles.len()) {
                    let (handle, part) = self.handles.swap_remove(at);
                    match handle.close() {
                        Ok((figures, parent)) => {
                            assert_eq!((figures, self.parts[part].users), (self.parts[part].figures, 1));
                            drop(parent);
                            self.leave(part);
                        }
                        Err(handle) => {
                            assert!(self.parts[part].users > 1);
                            self.handles.push((handle, part));
                        }
                    }
                }
            }
        }
        self.compare();
    }

    fn resize(&mut self, block: &mut Block<B>, size: usize) {
        let before = block.layout.size();
        if size > before {
            let served = self.request(block.part, size - before);
            assert_eq!(block.resize(size), served);
        } else if size < before {
            assert!(block.resize(size), "less can always be had");
            self.give_back(block.part, before - size);
        }
        assert!(block.is_whole(), "contents move along");
    }

    fn raise(&mut self, handle: u32, message: usize, cause: Option<u32>) {
        if self.handles.is_empty() {
            return;
        }
        let at = handle as usize % self.handles.len();
        let part = self.handles[at].1;
        let cause = cause.filter(|_| !self.errors.is_empty()).map(|cause| cause as usize % self.errors.len());
        let bytes = self.bare + message;
        let served = self.request(part, bytes);
        let text = ".".repeat(message);
        let mut builder = Error::build(&FELLED).number(message);
        if let Some(cause) = cause {
            builder = builder.cause(self.errors[cause].error.clone());
        }
        let error = builder.message(&self.handles[at].0, format_args!("{text}"));
        assert_eq!((error.is_plain(), error.is_cut()), (!served, !served));
        assert_eq!((error.kind(), error.cause().is_some()), (&FELLED, cause.is_some()));
        let payload = served.then(|| {
            let cause = cause.and_then(|cause| self.errors[cause].payload);
            if let Some(cause) = cause {
                self.payloads[cause].users += 1;
            }
            self.parts[part].users += 1;
            self.payloads.push(Payload { part, users: 1, bytes, message, cause });
            self.payloads.len() - 1
        });
        self.errors.push(Raised { error, payload });
    }

    fn compare(&self) {
        for (handle, part) in &self.handles {
            assert_eq!(handle.figures(), self.parts[*part].figures);
        }
        for block in &self.blocks {
            assert_eq!(block.handle.figures(), self.parts[block.part].figures);
        }
        let planted = self.parts.iter().filter(|part| part.parent.is_none() && part.users > 0);
        assert_eq!(self.ground.0.live.get(), planted.map(|part| part.figures.live + self.own).sum::<usize>());
    }

    /// How many things there are to drop.
    pub fn len(&self) -> usize {
        self.handles.len() + self.blocks.len() + self.errors.len()
    }

    /// How many subsystems there have been.
    pub fn made(&self) -> usize {
        self.parts.len()
    }

    /// Drops all that is left, in an order that `next` decides.
    pub fn fell(&mut self, mut next: impl FnMut() -> u32) {
        while self.len() > 0 {
            let index = next();
            self.step(match index % 3 {
                0 => Op::Drop { handle: index },
                1 => Op::Free { block: index },
                _ => Op::Forgive { error: index },
            });
        }
        assert_eq!(self.ground.0.live.get(), 0, "nothing is left");
        assert!(self.parts.iter().all(|part| part.users == 0 && part.figures.live == 0));
    }
}

impl Op {
    /// What some bits say.
    pub fn of(bits: u64) -> Self {
        let (index, other) = ((bits >> 32) as u32, (bits >> 20) as u32 & 0xfff);
        match bits % 32 {
            0 => Self::Plant,
            1..=3 => Self::Nest { within: index },
            4 => Self::Clone { handle: index },
            5..=8 => Self::Drop { handle: index },
            9 => Self::Move { one: index, other },
            10..=14 => Self::Allocate { handle: index, size: other % 600 },
            15..=17 => Self::Resize { block: index, size: other % 900 },
            18..=22 => Self::Free { block: index },
            23..=24 => Self::Raise { handle: index, message: other, cause: (bits >> 6 & 1 == 0).then_some(other) },
            25 => Self::Share { error: index },
            26..=28 => Self::Forgive { error: index },
            29 => Self::Budget { handle: index, bytes: if bits >> 6 & 1 == 0 { u32::MAX } else { other * 4 } },
            30 => Self::Fail { fail: bits >> 6 & 3 == 0 },
            _ => Self::Close { handle: index },
        }
    }
}

impl Random {
    pub fn op(&mut self) -> Op {
        Op::of(self.next())
    }
}

/// A walk of `total` operations over forests of about `stretch` each.
pub fn walk<B: Books>(total: u64, stretch: u64) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut done, mut denied, mut made) = (0, 0, 0);
    while done < total {
        let mut forest = Forest::<B>::new();
        for _ in 0..stretch.min(total - done) {
            forest.step(random.op());
        }
        forest.fell(|| (random.next() >> 32) as u32);
        done += stretch;
        denied += forest.denied;
        made += forest.made();
    }
    println!("{made} subsystems in {done} operations, {denied} requests denied");
    assert!(total < 5_000 || denied > 0 && made > 100, "the walk saw refusals and many subsystems");
}
