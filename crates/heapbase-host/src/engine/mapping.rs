//! Memory of the system: reserving it, mapping a file into it, opening and closing it, giving pages back.
//!
//! Everything that is unsafe about a slot is here. A [`Mapping`] owns its range of addresses alone; whoever hands pointers
//! into it to an engine sees to it that the engine is done with them before the mapping is used again.

use std::{fs::File, io, os::fd::AsRawFd, ptr};

/// A range of addresses that belongs to this value alone.
///
/// Invariants:
/// 1. `base` is the start of `reserved` bytes, made by one `mmap` and unmapped when the value is dropped;
/// 2. the first `open` bytes can be read and written, all others cannot be accessed;
/// 3. every page is private to the process: of the file that was mapped over it, or anonymous.
pub(super) struct Mapping {
    base: *mut u8,
    reserved: usize,
    open: usize,
    file: Option<MappedFile>,
}

/// Where in a mapping a file lies.
#[derive(Clone, Copy)]
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "only other systems map the file again to discard"))]
struct MappedFile {
    descriptor: libc::c_int,
    start: usize,
    end: usize,
}

// SAFETY: the mapping is owned by this value (invariant 1) and not bound to a thread.
unsafe impl Send for Mapping {}
// SAFETY: shared access reads plain fields; bytes are reached through `&mut self` only, or by the engine that leased them.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves `reserved` bytes, none of them accessible.
    pub(super) fn reserve(reserved: usize) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        // SAFETY: an anonymous mapping at an address of the system's choice aliases nothing.
        let base = unsafe { libc::mmap(ptr::null_mut(), reserved, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // A huge page would be cleared and copied back as a whole for the sake of one written byte.
        #[cfg(target_os = "linux")]
        // SAFETY: the range was just mapped; the advice changes no contents, and a system that refuses it loses nothing.
        unsafe {
            libc::madvise(base, reserved, libc::MADV_NOHUGEPAGE)
        };
        Ok(Mapping { base: base.cast(), reserved, open: 0, file: None })
    }

    /// Maps `len` bytes of a file privately at `start`. The file must outlive the mapping and never be shorter.
    ///
    /// # Panics
    ///
    /// If the range does not lie inside of the reservation, or is open already.
    pub(super) fn map_file(&mut self, file: &File, start: usize, len: usize) -> io::Result<()> {
        assert!(self.open <= start && len <= self.reserved - start, "the file is mapped into the closed reservation");
        let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
        // SAFETY: the range is this value's own (invariant 1, just asserted) and closed, so nobody reads it (invariant 2).
        let mapped =
            unsafe { libc::mmap(self.base.add(start).cast(), len, libc::PROT_NONE, flags, file.as_raw_fd(), 0) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        self.file = Some(MappedFile { descriptor: file.as_raw_fd(), start, end: start + len });
        Ok(())
    }

    /// Start of the mapping.
    pub(super) fn base(&self) -> *mut u8 {
        self.base
    }

    /// Bytes reserved.
    pub(super) fn reserved(&self) -> usize {
        self.reserved
    }

    /// Bytes that can be read and written.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Makes exactly the first `bytes` accessible, a multiple of the page size.
    ///
    /// # Panics
    ///
    /// If that is more than is reserved.
    pub(super) fn set_open(&mut self, bytes: usize) -> io::Result<()> {
        assert!(bytes <= self.reserved, "no more is opened than is reserved");
        let (from, to, protection) = if bytes > self.open {
            (self.open, bytes, libc::PROT_READ | libc::PROT_WRITE)
        } else {
            (bytes, self.open, libc::PROT_NONE)
        };
        if from < to {
            // SAFETY: the range is this value's own (invariant 1); `&mut self` excludes slices into it.
            let result = unsafe { libc::mprotect(self.base.add(from).cast(), to - from, protection) };
            if result != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        self.open = bytes;
        Ok(())
    }

    /// `len` bytes from `start`.
    ///
    /// # Panics
    ///
    /// If they are not open.
    pub(super) fn bytes(&self, start: usize, len: usize) -> &[u8] {
        assert!(start <= self.open && len <= self.open - start, "only open bytes are touched");
        // SAFETY: the bytes are readable (invariant 2, just asserted), and written through `&mut self` only.
        unsafe { std::slice::from_raw_parts(self.base.add(start), len) }
    }

    /// `len` bytes from `start`.
    ///
    /// # Panics
    ///
    /// If they are not open.
    pub(super) fn bytes_mut(&mut self, start: usize, len: usize) -> &mut [u8] {
        assert!(start <= self.open && len <= self.open - start, "only open bytes are touched");
        // SAFETY: the bytes are readable and writable (invariant 2, just asserted) and, by `&mut self`, nobody else's.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(start), len) }
    }

    /// Gives open pages from `from` to `to` back: they read as the file or as zero again.
    ///
    /// # Panics
    ///
    /// If they are not open.
    #[cfg(target_os = "linux")]
    pub(super) fn discard(&mut self, from: usize, to: usize) -> io::Result<()> {
        assert!(from <= to && to <= self.open, "only open pages are discarded");
        // SAFETY: the pages are this value's own and private (invariants 1 and 3); Linux replaces them by the file's pages,
        // or by zero where the mapping is anonymous.
        if unsafe { libc::madvise(self.base.add(from).cast(), to - from, libc::MADV_DONTNEED) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Gives open pages from `from` to `to` back by mapping them anew: elsewhere than on Linux, advice does not promise
    /// what they read as.
    ///
    /// # Panics
    ///
    /// If they are not open.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn discard(&mut self, from: usize, to: usize) -> io::Result<()> {
        assert!(from <= to && to <= self.open, "only open pages are discarded");
        let map = |from: usize, to: usize, flags: libc::c_int, descriptor: libc::c_int, offset: usize| {
            if from >= to {
                return Ok(());
            }
            // SAFETY: the pages are this value's own (invariant 1) and `&mut self` excludes slices into them.
            let mapped = unsafe {
                libc::mmap(
                    self.base.add(from).cast(),
                    to - from,
                    libc::PROT_READ | libc::PROT_WRITE,
                    flags | libc::MAP_PRIVATE | libc::MAP_FIXED,
                    descriptor,
                    offset as libc::off_t,
                )
            };
            if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
        };
        let Some(file) = self.file else { return map(from, to, libc::MAP_ANON, -1, 0) };
        map(from, to.min(file.start), libc::MAP_ANON, -1, 0)?;
        let (inside, end) = (from.max(file.start), to.min(file.end));
        map(inside, end, 0, file.descriptor, inside.saturating_sub(file.start))?;
        map(from.max(file.end), to, libc::MAP_ANON, -1, 0)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is this value's own (invariant 1) and nobody uses it any more.
        unsafe { libc::munmap(self.base.cast(), self.reserved) };
    }
}

/// A file that lives in memory.
#[cfg(target_os = "linux")]
pub(super) fn memory_file() -> io::Result<File> {
    use std::os::fd::FromRawFd;
    // SAFETY: the name is a NUL-terminated string; the call has no other precondition.
    let descriptor = unsafe { libc::memfd_create(c"heapbase-image".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// A file without a name.
#[cfg(not(target_os = "linux"))]
pub(super) fn memory_file() -> io::Result<File> {
    tempfile::tempfile()
}

/// Bytes of one of the system's pages.
pub(super) fn page_size() -> usize {
    // SAFETY: no precondition.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn discarded_pages_read_as_at_first() {
        let page = page_size();
        let file = memory_file().expect("a file");
        file.set_len(2 * page as u64).expect("its length");
        file.write_all_at(b"image", page as u64).expect("its contents");
        let mut mapping = Mapping::reserve(8 * page).expect("a reservation");
        mapping.map_file(&file, 2 * page, 2 * page).expect("the file");
        mapping.set_open(6 * page).expect("open");
        mapping.bytes_mut(0, 6 * page).fill(7);
        mapping.discard(page, 5 * page).expect("discarded");
        let bytes = mapping.bytes_mut(0, 6 * page);
        assert!(bytes[..page].iter().chain(&bytes[5 * page..]).all(|byte| *byte == 7));
        assert!(bytes[page..3 * page].iter().all(|byte| *byte == 0));
        assert_eq!(&bytes[3 * page..3 * page + 5], b"image");
        assert!(bytes[3 * page + 5..5 * page].iter().all(|byte| *byte == 0));
    }
}
