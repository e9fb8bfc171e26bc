//! Memories that are made once and used by one call after another, each of which finds them fresh.
//!
//! ```text
//!  base                 image                                     size          reservation + guard
//!   │ zero pages         │ data segments, copied on write │ zero pages │  no access  │
//!   └────────────────────┴────────────────────────────────┴────────────┴─────────────┘
//! ```
//!
//! A call's memory is fresh when each of its pages reads as the image (where the module has data) or as zero. Two things
//! make it so again after a call:
//!
//! 1. the pages that calls keep writing (*hot* pages: the top of the stack, a few pages of data, the first pages of the
//!    heap) stay mapped, and their bytes are copied back;
//! 2. every other page is given back to the system, which maps the image or zeros there when it is touched next.
//!
//! A page that is touched anew costs a fault of 0.5 to 2 µs, copying 4 KiB that lie in the cache about 0.1 µs: with
//! nothing but 2 a short call consists of faults. Which pages are hot is learnt from the system's page map after a call
//! that faulted, and forgotten again when calls no longer write them. Correctness does not hang on what was learnt: a page
//! is either copied back or given back, whatever the guest did.

use std::{
    cell::{Cell, RefCell},
    fs::File,
    io,
    os::{fd::AsRawFd, unix::fs::FileExt},
    ptr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use sp_wasm_interface::wasmtime::{self, LinearMemory, MemoryCreator, MemoryType};

use crate::prepare::Image;

/// Calls that may leave a hot page alone before it is given back.
const PATIENCE: u8 = 8;

/// Minor faults in a call from which on it is worth asking which pages they were.
const WORTH_LEARNING: i64 = 2;

/// The memories of one loaded module.
pub(crate) struct Pool {
    image: Option<MappedImage>,
    page: usize,
    keep_pages: usize,
    max_idle: usize,
    idle: Mutex<Vec<Slot>>,
}

/// The module's data, in a file that lives in memory, and mapped for reading.
struct MappedImage {
    file: File,
    start: usize,
    len: usize,
    view: *const u8,
}

// SAFETY: `view` is a private mapping that nobody writes, owned by this value alone; reading it from any thread is sound.
unsafe impl Send for MappedImage {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for MappedImage {}

impl MappedImage {
    fn new(image: &Image<'_>) -> io::Result<Self> {
        let file = memory_file()?;
        file.set_len(image.len as u64)?;
        for (address, bytes) in &image.parts {
            file.write_all_at(bytes, (address - image.start) as u64)?;
        }
        // SAFETY: a new mapping at an address of the system's choice aliases nothing; the file is `len` bytes long and is
        // never written or cut again, because this value is its only owner.
        let view =
            unsafe { libc::mmap(ptr::null_mut(), image.len, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if view == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(MappedImage { file, start: image.start, len: image.len, view: view.cast() })
    }

    /// The bytes that a fresh memory has at `address`, where the image covers all of `len` bytes.
    fn bytes(&self, address: usize, len: usize) -> Option<&[u8]> {
        let offset = address.checked_sub(self.start)?;
        if offset.checked_add(len)? > self.len {
            return None;
        }
        // SAFETY: `view` maps `self.len` readable bytes for as long as `self` lives, and nobody writes them; the range was
        // checked against that length.
        Some(unsafe { std::slice::from_raw_parts(self.view.add(offset), len) })
    }
}

impl Drop for MappedImage {
    fn drop(&mut self) {
        // SAFETY: `view` and `len` are those of the mapping made in `new`, and no slice of it outlives `self`.
        unsafe { libc::munmap(self.view.cast_mut().cast(), self.len) };
    }
}

#[cfg(target_os = "linux")]
fn memory_file() -> io::Result<File> {
    use std::os::fd::FromRawFd;
    // SAFETY: the name is a NUL-terminated string; the call has no other precondition.
    let fd = unsafe { libc::memfd_create(c"heapbase-image".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { File::from_raw_fd(fd) })
}

#[cfg(not(target_os = "linux"))]
fn memory_file() -> io::Result<File> {
    tempfile::tempfile()
}

impl Pool {
    /// Memories that begin as `image`, of which at most `keep_resident` bytes each stay mapped while they are idle.
    pub(crate) fn new(image: Option<&Image<'_>>, keep_resident: usize) -> io::Result<Arc<Self>> {
        let page = page_size();
        Ok(Arc::new(Pool {
            image: image.map(MappedImage::new).transpose()?,
            page,
            keep_pages: if pagemap().is_some() { keep_resident / page } else { 0 },
            max_idle: 8,
            idle: Mutex::new(Vec::new()),
        }))
    }

    /// Arranges that the next memory made on this thread is one of this pool's, with `bytes` accessible in the end.
    pub(crate) fn lease(self: &Arc<Self>, bytes: usize) -> Lease {
        let usage = Arc::new(AtomicUsize::new(usize::MAX));
        NEXT.with(|next| {
            *next.borrow_mut() = Some(Order { pool: Arc::clone(self), bytes, used: Arc::clone(&usage) });
        });
        Lease { used: usage }
    }

    fn take(&self) -> Option<Slot> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give(&self, slot: Slot) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.max_idle {
            idle.push(slot);
        }
    }
}

/// What a call knows of the memory it runs on.
pub(crate) struct Lease {
    used: Arc<AtomicUsize>,
}

impl Lease {
    /// Says up to which address the call used its heap: nothing above is worth keeping mapped.
    pub(crate) fn used_up_to(&self, address: usize) {
        self.used.store(address, Ordering::Relaxed);
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
    used: Arc<AtomicUsize>,
}

thread_local! {
    static NEXT: RefCell<Option<Order>> = const { RefCell::new(None) };
    static FAULTS: Cell<i64> = const { Cell::new(0) };
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
        let order =
            NEXT.with(|next| next.borrow_mut().take()).ok_or("a memory was made outside of a call".to_owned())?;
        let reserved = reserved.unwrap_or(1 << 32);
        let slot = order.pool.take();
        let mut slot = match slot {
            Some(slot) if slot.reserved == reserved + guard => slot,
            _ => Slot::new(&order.pool, reserved + guard).map_err(|error| format!("no memory for a slot: {error}"))?,
        };
        slot.open(order.bytes.max(minimum)).map_err(|error| format!("no memory for a slot: {error}"))?;
        FAULTS.set(minor_faults());
        Ok(Box::new(Leased { slot: Some(slot), pool: order.pool, used: order.used, size: minimum, capacity: reserved }))
    }
}

/// A slot while an instance uses it.
struct Leased {
    slot: Option<Slot>,
    pool: Arc<Pool>,
    used: Arc<AtomicUsize>,
    size: usize,
    capacity: usize,
}

// SAFETY: `as_ptr` is the base of a reservation of `capacity` bytes and a guard that lives as long as `self`, of which
// `byte_size` bytes are accessible; growing never moves it.
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
        if new_size > slot.open {
            slot.open(new_size)?;
        }
        self.size = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.slot.as_ref().map_or(ptr::null_mut(), |slot| slot.base)
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let Some(mut slot) = self.slot.take() else {
            return;
        };
        let learn = minor_faults() - FAULTS.get() >= WORTH_LEARNING;
        let used = self.used.load(Ordering::Relaxed).min(self.size);
        // A slot that cannot be cleaned is unmapped instead of being used again.
        if slot.clean(&self.pool, used, learn).is_ok() {
            self.pool.give(slot);
        }
    }
}

/// A reserved range of addresses with a memory at its start.
struct Slot {
    base: *mut u8,
    /// Bytes reserved, guard included.
    reserved: usize,
    /// Bytes that can be read and written.
    open: usize,
    /// Pages that stay mapped, by ascending number.
    hot: Vec<HotPage>,
}

struct HotPage {
    number: usize,
    unused: u8,
}

// SAFETY: a slot owns its mapping alone; the pointer is not bound to a thread.
unsafe impl Send for Slot {}
// SAFETY: shared access reads plain fields only; memory itself is written through `&mut` or by the engine that leased it.
unsafe impl Sync for Slot {}

impl Slot {
    fn new(pool: &Pool, reserved: usize) -> io::Result<Self> {
        // SAFETY: an anonymous mapping at an address of the system's choice aliases nothing.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                reserved,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let slot = Slot { base: base.cast(), reserved, open: 0, hot: Vec::new() };
        if let Some(image) = &pool.image {
            // SAFETY: the range lies inside of the reservation, which this slot owns and nobody reads yet: the image lies
            // below the declared minimum of the memory, which fits the reservation.
            let mapped = unsafe {
                libc::mmap(
                    slot.base.add(image.start).cast(),
                    image.len,
                    libc::PROT_NONE,
                    libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE,
                    image.file.as_raw_fd(),
                    0,
                )
            };
            if mapped == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(slot)
    }

    /// Makes exactly the first `bytes` accessible.
    fn open(&mut self, bytes: usize) -> io::Result<()> {
        let (from, to, protection) = match bytes.cmp(&self.open) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Greater => (self.open, bytes, libc::PROT_READ | libc::PROT_WRITE),
            std::cmp::Ordering::Less => (bytes, self.open, libc::PROT_NONE),
        };
        // SAFETY: the range lies inside of this slot's reservation (sizes of memories are bounded by it), at page
        // boundaries because Wasm pages are multiples of the system's.
        if unsafe { libc::mprotect(self.base.add(from).cast(), to - from, protection) } != 0 {
            return Err(io::Error::last_os_error());
        }
        self.open = bytes;
        Ok(())
    }

    /// Makes the memory fresh. Pages from `used` on are given back; below, those that calls keep writing stay.
    fn clean(&mut self, pool: &Pool, used: usize, learn: bool) -> io::Result<()> {
        let page = pool.page;
        let keep_below = used.div_ceil(page);
        let mut hot = std::mem::take(&mut self.hot);
        hot.retain_mut(|hot| {
            hot.number < keep_below && {
                let changed = self.restore(pool, hot.number);
                hot.unused = if changed { 0 } else { hot.unused + 1 };
                hot.unused < PATIENCE
            }
        });
        if learn && hot.len() < pool.keep_pages {
            self.learn(pool, keep_below, &mut hot);
        }
        let mut from = 0;
        for page_number in hot.iter().map(|hot| hot.number).chain([self.open / page]) {
            let to = page_number * page;
            if to > from {
                self.discard(pool, from, to)?;
            }
            from = to + page;
        }
        self.hot = hot;
        Ok(())
    }

    /// Copies a page's first contents back; whether they were different.
    fn restore(&mut self, pool: &Pool, number: usize) -> bool {
        let address = number * pool.page;
        // SAFETY: hot pages lie below `open`, so the page is readable and writable, and no instance uses the slot now.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.base.add(address), pool.page) };
        match pool.image.as_ref().and_then(|image| image.bytes(address, pool.page)) {
            Some(fresh) if bytes != fresh => bytes.copy_from_slice(fresh),
            None if !is_zero(bytes) => bytes.fill(0),
            _ => return false,
        }
        true
    }

    /// Adds the pages below `end` that the call mapped for itself.
    fn learn(&mut self, pool: &Pool, end: usize, hot: &mut Vec<HotPage>) {
        let Some(pagemap) = pagemap() else { return };
        let mut entries = vec![0u8; end * 8];
        let offset = (self.base as usize / pool.page * 8) as u64;
        if pagemap.read_exact_at(&mut entries, offset).is_err() {
            return;
        }
        let mut known = hot.iter().map(|hot| hot.number).peekable();
        let mut found = Vec::new();
        for (number, entry) in entries.as_chunks::<8>().0.iter().enumerate() {
            if known.next_if_eq(&number).is_some() {
                continue;
            }
            // Bit 63: in memory, 62: swapped out, 61: of a file, so not yet copied on write.
            let entry = u64::from_ne_bytes(*entry);
            let own = (entry >> 62 != 0) && (entry >> 61 & 1 == 0);
            if own && hot.len() + found.len() < pool.keep_pages {
                found.push(HotPage { number, unused: 0 });
            }
        }
        for page in &found {
            self.restore(pool, page.number);
        }
        hot.append(&mut found);
        hot.sort_unstable_by_key(|hot| hot.number);
    }

    /// Gives the pages from `from` to `to` back: they read as the image or as zero again.
    #[cfg(target_os = "linux")]
    fn discard(&mut self, _pool: &Pool, from: usize, to: usize) -> io::Result<()> {
        // SAFETY: the range lies inside of this slot's private mappings, which no instance uses now; Linux replaces the
        // pages by the file's, or by zero where the mapping is anonymous.
        if unsafe { libc::madvise(self.base.add(from).cast(), to - from, libc::MADV_DONTNEED) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Gives the pages from `from` to `to` back by mapping them anew: elsewhere than on Linux, advice does not promise
    /// what they read as.
    #[cfg(not(target_os = "linux"))]
    fn discard(&mut self, pool: &Pool, from: usize, to: usize) -> io::Result<()> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let map = |from: usize, to: usize, flags: libc::c_int, fd: libc::c_int, offset: usize| {
            if from >= to {
                return Ok(());
            }
            // SAFETY: the range lies inside of this slot's reservation, which no instance uses now.
            let mapped = unsafe {
                libc::mmap(
                    self.base.add(from).cast(),
                    to - from,
                    protection,
                    flags | libc::MAP_PRIVATE | libc::MAP_FIXED,
                    fd,
                    offset as libc::off_t,
                )
            };
            if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
        };
        let (start, end) = pool.image.as_ref().map_or((to, to), |image| (image.start, image.start + image.len));
        map(from, to.min(start), libc::MAP_ANON, -1, 0)?;
        if let Some(image) = &pool.image {
            let (from, to) = (from.max(start), to.min(end));
            map(from, to, 0, image.file.as_raw_fd(), from.saturating_sub(start))?;
        }
        map(from.max(end), to, libc::MAP_ANON, -1, 0)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: the reservation is this slot's own and nobody uses it any more.
        unsafe { libc::munmap(self.base.cast(), self.reserved) };
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // Compared in blocks: the compiler makes vector code of the inner loop.
    bytes.chunks(256).all(|block| block.iter().fold(0, |seen, byte| seen | byte) == 0)
}

fn page_size() -> usize {
    // SAFETY: no precondition.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// The system's table of this process's pages, where it has one.
fn pagemap() -> Option<&'static File> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    FILE.get_or_init(|| File::open("/proc/self/pagemap").ok()).as_ref()
}

/// Page faults of this thread that needed no input.
#[cfg(target_os = "linux")]
fn minor_faults() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is valid for one `rusage`.
    let result = unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    if result != 0 {
        return 0;
    }
    // SAFETY: the call succeeded, so it filled the structure.
    unsafe { usage.assume_init() }.ru_minflt
}

#[cfg(not(target_os = "linux"))]
fn minor_faults() -> i64 {
    0
}
