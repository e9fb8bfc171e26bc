//! Memories that are made once and used by one call after another, each of which finds them fresh.
//!
//! ```text
//!  base                 image                                     size          reservation + guard
//!   │ zero pages         │ data segments, copied on write │ zero pages │  no access  │
//!   └────────────────────┴────────────────────────────────┴────────────┴─────────────┘
//! ```
//!
//! A call's memory is fresh when each of its pages reads as the image (where the module has data) or as zero. After a call
//! the system is asked which pages were written ([`Scanner`]), and each of these is made fresh in one of two ways:
//!
//! 1. its bytes are *copied back* and the page stays mapped, while calls keep writing it (the top of the stack, a few pages
//!    of data, the first pages of the heap) and it lies below the end of the heap that the call used;
//! 2. otherwise it is *given back* to the system, which maps the image or zeros when it is touched next.
//!
//! A page that is touched anew costs a fault of 0.5 to 2 µs, copying 4 KiB that lie in the cache about 0.1 µs, the question
//! itself 3 µs: with nothing but 2, a short call consists of faults. Pages that were only read stay as they are. Where the
//! system cannot answer, all pages are given back after each call.

use std::{
    cell::RefCell,
    io,
    os::unix::fs::FileExt,
    ptr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use sp_wasm_interface::wasmtime::{self, LinearMemory, MemoryCreator, MemoryType};

use super::{
    mapping::{Mapping, memory_file, page_size},
    pagemap::{Scanner, Written},
};
use crate::prepare::Image;

/// Calls that may leave a page that stays mapped alone before it is given back.
const PATIENCE: u8 = 8;

/// Idle memories of one module. More calls at one time get memories of their own that go when they end.
const IDLE: usize = 8;

/// The memories of one loaded module.
pub(crate) struct Pool {
    page: usize,
    keep_pages: usize,
    scanner: Option<&'static Scanner>,
    idle: Mutex<Vec<Slot>>,
    // Dropped after the slots, which map its file.
    image: Option<ImageFile>,
}

/// The module's data in a file that every slot maps, and mapped once more to copy from.
struct ImageFile {
    file: std::fs::File,
    start: usize,
    bytes: Mapping,
    len: usize,
}

impl ImageFile {
    fn new(image: &Image<'_>) -> io::Result<Self> {
        let file = memory_file()?;
        file.set_len(image.len as u64)?;
        for (address, bytes) in &image.parts {
            file.write_all_at(bytes, (address - image.start) as u64)?;
        }
        let mut mapping = Mapping::reserve(image.len)?;
        mapping.map_file(&file, 0, image.len)?;
        mapping.set_open(image.len)?;
        Ok(ImageFile { file, start: image.start, bytes: mapping, len: image.len })
    }
}

impl Pool {
    /// Memories that begin as `image`, of which at most `keep_resident` bytes each stay mapped while they are idle.
    pub(crate) fn new(image: Option<&Image<'_>>, keep_resident: usize) -> io::Result<Arc<Self>> {
        let page = page_size();
        Ok(Arc::new(Pool {
            page,
            keep_pages: keep_resident / page,
            scanner: Scanner::get(),
            idle: Mutex::default(),
            image: image.map(ImageFile::new).transpose()?,
        }))
    }

    /// Arranges that the next memory made on this thread is one of this pool's, with `bytes` accessible in the end.
    pub(crate) fn lease(self: &Arc<Self>, bytes: usize) -> Lease {
        let usage = Arc::new(Usage::default());
        NEXT.with(|next| *next.borrow_mut() = Some(Order { pool: Arc::clone(self), bytes, usage: Arc::clone(&usage) }));
        Lease { usage }
    }

    fn take(&self) -> Option<Slot> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give(&self, slot: Slot) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(slot);
        }
    }
}

/// What a call and its memory tell one another.
#[derive(Default)]
struct Usage {
    /// Up to which address the heap was used.
    heap_end: OnceLock<usize>,
    /// Bytes of the pages that were written.
    touched: OnceLock<usize>,
}

/// What a call knows of the memory it runs on.
pub(crate) struct Lease {
    usage: Arc<Usage>,
}

impl Lease {
    /// Says up to which address the call used its heap: nothing above is worth keeping mapped.
    pub(crate) fn used_up_to(&self, address: usize) {
        let _ = self.usage.heap_end.set(address);
    }

    /// Bytes of the system's pages that the call wrote. Known when its memory has been dropped, and where the system says.
    pub(crate) fn touched(&self) -> Option<u64> {
        self.usage.touched.get().map(|bytes| *bytes as u64)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        NEXT.with(|next| next.borrow_mut().take());
    }
}

struct Order {
    pool: Arc<Pool>,
    bytes: usize,
    usage: Arc<Usage>,
}

thread_local! {
    static NEXT: RefCell<Option<Order>> = const { RefCell::new(None) };
}

/// Hands slots to wasmtime when it makes an instance.
pub(crate) struct Creator;

// SAFETY: the memories made here are reserved with the size and guard asked for, read as zero or as the image that stands
// for the module's own data segments, never move, and nobody else touches them while wasmtime holds them.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _ty: MemoryType,
        minimum: usize,
        _maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let order = NEXT.with(|next| next.borrow_mut().take()).ok_or("a memory was made outside of a call")?;
        let capacity = reserved.unwrap_or(1 << 32);
        let lease = || -> io::Result<Leased> {
            let mut slot = match order.pool.take() {
                Some(slot) if slot.memory.reserved() == capacity + guard => slot,
                _ => Slot::new(order.pool.image.as_ref(), capacity + guard)?,
            };
            slot.memory.set_open(order.bytes.max(minimum))?;
            let slot = Some(slot);
            Ok(Leased { slot, pool: Arc::clone(&order.pool), usage: order.usage, size: minimum, capacity })
        };
        lease().map(|leased| Box::new(leased) as _).map_err(|error| format!("the system has no memory: {error}"))
    }
}

/// A slot while an instance uses it.
struct Leased {
    slot: Option<Slot>,
    pool: Arc<Pool>,
    usage: Arc<Usage>,
    size: usize,
    capacity: usize,
}

// SAFETY: `as_ptr` is the base of a reservation of `capacity` bytes and a guard that lives as long as `self`, of which at
// least `byte_size` bytes are open; growing never moves it.
unsafe impl LinearMemory for Leased {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        self.capacity
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        let slot = self.slot.as_mut().ok_or_else(|| wasmtime::Error::msg("the memory is gone"))?;
        if new_size > self.capacity {
            return Err(wasmtime::Error::msg("the memory's reservation is used up"));
        }
        if new_size > slot.memory.open() {
            slot.memory.set_open(new_size)?;
        }
        self.size = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.slot.as_ref().map_or(ptr::null_mut(), |slot| slot.memory.base())
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let Some(mut slot) = self.slot.take() else { return };
        let used = self.usage.heap_end.get().map_or(self.size, |end| self.size.min(*end));
        // A slot that cannot be cleaned is unmapped instead of being used again.
        if let Ok(touched) = slot.clean(&self.pool, used) {
            if let Some(pages) = touched {
                let _ = self.usage.touched.set(pages * self.pool.page);
            }
            self.pool.give(slot);
        }
    }
}

/// A memory, and what is known of its pages.
struct Slot {
    memory: Mapping,
    /// Pages that stayed mapped after the last call, by ascending number.
    kept: Vec<Kept>,
    /// Room for the scan's answer.
    written: Vec<Written>,
}

#[derive(Clone, Copy)]
struct Kept {
    page: usize,
    /// Calls since it was last changed.
    unchanged: u8,
}

impl Slot {
    fn new(image: Option<&ImageFile>, reserved: usize) -> io::Result<Self> {
        let mut memory = Mapping::reserve(reserved)?;
        if let Some(image) = image {
            memory.map_file(&image.file, image.start, image.len)?;
        }
        Ok(Slot { memory, kept: Vec::new(), written: Vec::new() })
    }

    /// Makes the memory fresh; of the pages that were written, some of those below `used` stay mapped. Returns how many were
    /// written since the last time, where the system says: of a page that stayed mapped, only whether it changed can be told.
    fn clean(&mut self, pool: &Pool, used: usize) -> io::Result<Option<usize>> {
        let open = self.memory.open();
        let Some(scanner) = pool.scanner.filter(|_| pool.keep_pages > 0) else {
            self.memory.discard(0, open)?;
            return Ok(None);
        };
        let mut written = std::mem::take(&mut self.written);
        written.clear();
        scanner.written(self.memory.base(), open, &mut written)?;
        let keep_below = used.div_ceil(pool.page);
        let mut known = std::mem::take(&mut self.kept).into_iter().peekable();
        let mut kept = Vec::with_capacity(known.len() + 8);
        let mut touched = 0;
        for range in &written {
            let mut discard_from = range.start;
            for page in range.start / pool.page..range.end / pool.page {
                while known.next_if(|known| known.page < page).is_some() {}
                let before = known.next_if(|known| known.page == page);
                let keep = page < keep_below && kept.len() < pool.keep_pages;
                // What was not mapped before and is now was written, whatever it holds.
                let changed = if keep || before.is_some() { self.restore(pool, page) } else { true };
                touched += usize::from(changed || before.is_none());
                if !keep {
                    continue;
                }
                let unchanged = if changed { 0 } else { before.map_or(1, |before| before.unchanged + 1) };
                if unchanged < PATIENCE {
                    kept.push(Kept { page, unchanged });
                    self.give_back(discard_from, page * pool.page)?;
                    discard_from = (page + 1) * pool.page;
                }
            }
            self.give_back(discard_from, range.end)?;
        }
        self.kept = kept;
        self.written = written;
        Ok(Some(touched))
    }

    fn give_back(&mut self, from: usize, to: usize) -> io::Result<()> {
        if from < to { self.memory.discard(from, to) } else { Ok(()) }
    }

    /// Copies a page's first contents back; whether they were different.
    fn restore(&mut self, pool: &Pool, page: usize) -> bool {
        let address = page * pool.page;
        let bytes = self.memory.bytes_mut(address, pool.page);
        let fresh = pool.image.as_ref().filter(|image| (image.start..image.start + image.len).contains(&address));
        match fresh.map(|image| image.bytes.bytes(address - image.start, pool.page)) {
            Some(fresh) if bytes != fresh => bytes.copy_from_slice(fresh),
            None if !is_zero(bytes) => bytes.fill(0),
            _ => return false,
        }
        true
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // Compared in blocks: the compiler makes vector code of the inner loop.
    bytes.chunks(256).all(|block| block.iter().fold(0, |seen, byte| seen | byte) == 0)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    const WASM: usize = crate::WASM_PAGE as usize;

    /// One call: pages of memory it has, where it writes how much, up to where it says that it used its heap.
    #[derive(Debug, Clone)]
    struct Use {
        pages: usize,
        writes: Vec<(usize, usize, u8)>,
        used: usize,
    }

    fn uses() -> impl Strategy<Value = Vec<Use>> {
        let call = (3..8usize).prop_flat_map(|pages| {
            let size = pages * WASM;
            let writes = prop::collection::vec((0..size, 1..20_000usize, any::<u8>()), 0..12);
            (Just(pages), writes, 0..=size).prop_map(|(pages, writes, used)| Use { pages, writes, used })
        });
        // More calls than the patience with pages that are left alone.
        prop::collection::vec(call, 1..20)
    }

    fn image() -> Image<'static> {
        let part: Vec<u8> = (0..70_000u32).map(|at| (at % 251) as u8 + 1).collect();
        Image { start: WASM, len: 2 * WASM, parts: vec![(WASM + 5, Cow::Owned(part))] }
    }

    fn assert_fresh(slot: &Slot, image: Option<&Image<'_>>) {
        let memory = slot.memory.bytes(0, slot.memory.open());
        let mut fresh = vec![0; memory.len()];
        for (address, bytes) in image.into_iter().flat_map(|image| &image.parts) {
            fresh[*address..address + bytes.len()].copy_from_slice(bytes);
        }
        let differs = memory.iter().zip(&fresh).position(|(now, fresh)| now != fresh);
        assert_eq!(differs, None, "the first address that is not fresh");
    }

    fn run(uses: &[Use], image: Option<&Image<'_>>, keep_resident: usize, scan: bool) {
        let pool = Pool::new(image, keep_resident).expect("a pool");
        let mut pool = Arc::into_inner(pool).expect("nobody else holds it");
        if !scan {
            pool.scanner = None;
        }
        let mut slot = Slot::new(pool.image.as_ref(), 16 * WASM).expect("a slot");
        for call in uses {
            slot.memory.set_open(call.pages * WASM).expect("opened");
            assert_fresh(&slot, image);
            for (address, len, byte) in &call.writes {
                let len = (*len).min(call.pages * WASM - address);
                slot.memory.bytes_mut(*address, len).fill(*byte);
            }
            slot.clean(&pool, call.used).expect("cleaned");
            assert!(slot.kept.len() <= pool.keep_pages);
            assert!(slot.kept.is_sorted_by_key(|kept| kept.page));
            assert_fresh(&slot, image);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_call_finds_memory_fresh(uses in uses(), keep in prop::sample::select(vec![0, 4096 * 3, 16 << 20])) {
            let image = image();
            run(&uses, Some(&image), keep, true);
            run(&uses, None, keep, true);
        }

        #[test]
        fn also_where_the_system_cannot_say_what_was_written(uses in uses()) {
            run(&uses, Some(&image()), 16 << 20, false);
        }
    }

    /// A pool with a scanner, where the system has one.
    fn scanning(image: Option<&Image<'_>>, keep_resident: usize) -> Option<Arc<Pool>> {
        let pool = Pool::new(image, keep_resident).expect("a pool");
        if pool.scanner.is_none() {
            println!("SKIPPED: the kernel has no PAGEMAP_SCAN (Linux 6.7)");
            assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "the scan is required here");
            return None;
        }
        Some(pool)
    }

    #[test]
    fn pages_that_were_written_are_counted() {
        let image = image();
        let Some(pool) = scanning(Some(&image), 16 << 20) else { return };
        let mut slot = Slot::new(pool.image.as_ref(), 8 * WASM).expect("a slot");
        slot.memory.set_open(8 * WASM).expect("opened");
        let page = pool.page;
        let pages = [0, WASM / page, 6 * WASM / page];
        for (turn, used) in [(1, 8 * WASM), (2, 8 * WASM), (3, page), (4, 0), (5, 8 * WASM)] {
            for number in pages {
                slot.memory.bytes_mut(number * page, 1)[0] = 0x80 + turn;
            }
            // What is only read costs nothing.
            assert_eq!(slot.memory.bytes(2 * WASM, 1)[0], image.parts[0].1[WASM - 5]);
            assert_eq!(slot.clean(&pool, used).expect("cleaned"), Some(pages.len()), "turn {turn}");
            assert_fresh(&slot, Some(&image));
        }
        assert_eq!(slot.kept.len(), pages.len());
        assert_eq!(slot.clean(&pool, 8 * WASM).expect("cleaned"), Some(0), "pages that stayed and were left alone");
        assert_eq!(slot.clean(&pool, 0).expect("cleaned"), Some(0), "pages that went and were left alone");
        let off = Pool::new(None, 0).expect("a pool");
        assert_eq!(Slot::new(None, WASM).expect("a slot").clean(&off, WASM).expect("cleaned"), None);
    }

    #[test]
    fn pages_that_are_no_longer_written_are_given_back() {
        let Some(pool) = scanning(None, 16 << 20) else { return };
        let mut slot = Slot::new(None, 4 * WASM).expect("a slot");
        slot.memory.set_open(WASM).expect("opened");
        slot.memory.bytes_mut(0, 1)[0] = 1;
        slot.memory.bytes_mut(pool.page, 1)[0] = 1;
        for _ in 0..PATIENCE {
            slot.clean(&pool, WASM).expect("cleaned");
            assert_eq!(slot.kept.len(), 2);
            slot.memory.bytes_mut(0, 1)[0] = 1;
        }
        slot.clean(&pool, WASM).expect("cleaned");
        assert_eq!(slot.kept.iter().map(|kept| kept.page).collect::<Vec<_>>(), [0]);
    }
}
