//! `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`: what a module spends the rest of its time with that it spends on memory.
//!
//! The first release of WebAssembly, all that nodes of the Polkadot SDK accept, has no instruction that copies memory. What compilers
//! link instead moves words of four bytes, and single bytes where source and target are aligned differently; the engine's own
//! loads and stores know no such difference. These move 16 bytes a step, unaligned, and the rest by two moves that overlap.
//! With the cargo feature `mem` the module's own code uses them, where its target has no bulk memory:
//!
//! ```
//! use heapbase as _; // a crate has to be named to be linked
//! ```
//!
//! A linker exports them as it does every function with a C name of a Rust library, which hosts do not mind.

// A compiler that finds out that a loop copies calls `memcpy` instead. LLVM does where one store of a loop is as wide as its
// step, so each step here has two.

/// Loads from `at`.
///
/// # Safety
///
/// `at` is readable for the size of a `T`, which is an integer.
#[inline(always)]
unsafe fn load<T: Copy>(at: *const u8) -> T {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<T>().read_unaligned() }
}

/// Stores at `at`.
///
/// # Safety
///
/// `at` is writable for the size of a `T`.
#[inline(always)]
unsafe fn store<T: Copy>(at: *mut u8, value: T) {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<T>().write_unaligned(value) }
}

/// Moves two to sixteen bytes, half of a `[T; 2]` at least: all is loaded before anything is stored.
///
/// # Safety
///
/// `from` is readable and `to` writable for `n` bytes, and `n` lies between the size of a `T` and twice that.
#[inline(always)]
unsafe fn two<T: Copy>(to: *mut u8, from: *const u8, n: usize) {
    let last = n - size_of::<T>();
    // SAFETY: both words lie inside of the `n` bytes.
    unsafe {
        let (a, b): (T, T) = (load(from), load(from.add(last)));
        store(to, a);
        store(to.add(last), b);
    }
}

/// Moves fewer than 16 bytes, wherever the two lie.
///
/// # Safety
///
/// `from` is readable and `to` writable for `n` bytes, fewer than 16.
#[inline(always)]
unsafe fn few(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: the caller's promise, and each width's bounds.
    unsafe {
        if n >= 8 {
            two::<u64>(to, from, n)
        } else if n >= 4 {
            two::<u32>(to, from, n)
        } else if n >= 2 {
            two::<u16>(to, from, n)
        } else if n == 1 {
            store::<u8>(to, load(from))
        }
    }
}

/// Moves two words, loaded both before the first is stored.
///
/// # Safety
///
/// `from` is readable and `to` writable for 16 bytes.
#[inline(always)]
unsafe fn step(to: *mut u8, from: *const u8) {
    // SAFETY: the caller's promise.
    unsafe { two::<u64>(to, from, 16) }
}

/// Copies `n` bytes. The two may overlap where `to` does not lie behind `from`.
///
/// # Safety
///
/// `from` is readable and `to` writable for `n` bytes; `to` lies before `from`, or `n` bytes or more behind it.
#[inline(always)]
pub unsafe fn copy(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: every access lies inside of the `n` bytes: a step begins more than 16 bytes before the end. Where they overlap,
    // `to` is lower, so that what a step overwrites was read before, but for the last 16 bytes, which are read first.
    unsafe {
        if n < 16 {
            return few(to, from, n);
        }
        let last = n - 16;
        let (a, b): (u64, u64) = (load(from.add(last)), load(from.add(last + 8)));
        let mut at = 0;
        while at < last {
            step(to.add(at), from.add(at));
            at += 16;
        }
        store(to.add(last), a);
        store(to.add(last + 8), b);
    }
}

/// Copies `n` bytes that may overlap in any way.
///
/// # Safety
///
/// `from` is readable and `to` writable for `n` bytes.
#[inline(always)]
pub unsafe fn copy_overlapping(to: *mut u8, from: *const u8, n: usize) {
    // SAFETY: every access lies inside of the `n` bytes. Behind `from`, steps go down, so that what one overwrites was read
    // before, but for the first 16 bytes, which are read first.
    unsafe {
        if to.addr().wrapping_sub(from.addr()) >= n {
            return copy(to, from, n);
        }
        if n < 16 {
            return few(to, from, n);
        }
        let (a, b): (u64, u64) = (load(from), load(from.add(8)));
        let mut at = n;
        while at > 16 {
            at -= 16;
            step(to.add(at), from.add(at));
        }
        store(to, a);
        store(to.add(8), b);
    }
}

/// Makes `n` bytes equal to `byte`.
///
/// # Safety
///
/// `to` is writable for `n` bytes.
#[inline(always)]
pub unsafe fn fill(to: *mut u8, byte: u8, n: usize) {
    let word = u64::from(byte) * (u64::MAX / 255);
    // SAFETY: every access lies inside of the `n` bytes: a step begins more than 16 bytes before the end.
    unsafe {
        if n >= 16 {
            let last = n - 16;
            let mut at = 0;
            while at < last {
                store(to.add(at), word);
                store(to.add(at + 8), word);
                at += 16;
            }
            store(to.add(last), word);
            store(to.add(last + 8), word);
        } else if n >= 8 {
            store(to, word);
            store(to.add(n - 8), word);
        } else if n >= 4 {
            store(to, word as u32);
            store(to.add(n - 4), word as u32);
        } else if n > 0 {
            store(to, byte);
            store(to.add(n / 2), byte);
            store(to.add(n - 1), byte);
        }
    }
}

/// Which of two ranges of `n` bytes comes first: the sign of the difference of the first two bytes that differ, or 0.
///
/// # Safety
///
/// Both are readable for `n` bytes.
#[inline(always)]
pub unsafe fn compare(left: *const u8, right: *const u8, n: usize) -> i32 {
    let mut at = 0;
    // SAFETY: every access lies inside of the `n` bytes.
    unsafe {
        while n - at >= 8 {
            let (l, r): (u64, u64) = (load(left.add(at)), load(right.add(at)));
            if l != r {
                // The lowest bit that differs belongs to the first byte that does.
                let shift = ((l ^ r).to_le().trailing_zeros()) & !7;
                let byte = |word: u64| (word.to_le() >> shift) as u8;
                return i32::from(byte(l)) - i32::from(byte(r));
            }
            at += 8;
        }
        while at < n {
            let (l, r): (u8, u8) = (load(left.add(at)), load(right.add(at)));
            if l != r {
                return i32::from(l) - i32::from(r);
            }
            at += 1;
        }
    }
    0
}

#[cfg(all(feature = "mem", target_arch = "wasm32", not(target_feature = "bulk-memory")))]
mod installed {
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
        // SAFETY: C's contract on the caller, by which the two do not overlap.
        unsafe { super::copy(to, from, n) }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
        // SAFETY: C's contract on the caller.
        unsafe { super::copy_overlapping(to, from, n) }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, byte: i32, n: usize) -> *mut u8 {
        // SAFETY: C's contract on the caller.
        unsafe { super::fill(to, byte as u8, n) }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, n: usize) -> i32 {
        // SAFETY: C's contract on the caller.
        unsafe { super::compare(left, right, n) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, n: usize) -> i32 {
        // SAFETY: C's contract on the caller.
        unsafe { super::compare(left, right, n) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    const SIZE: usize = 400;

    /// Numbers that differ from their neighbours.
    fn pattern() -> Vec<u8> {
        (0..SIZE).map(|at| (at * 151 + at / 7) as u8).collect()
    }

    /// Every short length, and where steps begin and end.
    fn lengths() -> impl Iterator<Item = usize> {
        (0..=100).chain([127, 128, 129, 143, 144, 145, 200])
    }

    #[test]
    fn copies_every_length_and_leaves_what_lies_around_alone() {
        for n in lengths() {
            for (to, from) in [(0, 0), (1, 0), (3, 7), (8, 5), (15, 16)] {
                let (source, mut target, mut expected) = (pattern(), vec![0xa5; SIZE], vec![0xa5; SIZE]);
                expected[to..to + n].copy_from_slice(&source[from..from + n]);
                // SAFETY: both lie inside of their vectors.
                unsafe { copy(target.as_mut_ptr().add(to), source.as_ptr().add(from), n) };
                assert_eq!(target, expected, "{n} bytes from {from} to {to}");
            }
        }
    }

    #[test]
    fn copies_what_overlaps_in_either_direction() {
        for n in lengths() {
            for distance in (0..40).chain([100, 150, 199]) {
                for (to, from) in [(0, distance), (distance, 0)] {
                    let (mut bytes, mut expected) = (pattern(), pattern());
                    expected.copy_within(from..from + n, to);
                    let start = bytes.as_mut_ptr();
                    // SAFETY: both lie inside of the vector.
                    unsafe { copy_overlapping(start.add(to), start.add(from), n) };
                    assert_eq!(bytes, expected, "{n} bytes from {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn fills_every_length_and_leaves_what_lies_around_alone() {
        for n in lengths() {
            for byte in [0, 1, 0x7f, 0xff] {
                let (mut bytes, mut expected) = (pattern(), pattern());
                expected[9..9 + n].fill(byte);
                // SAFETY: it lies inside of the vector.
                unsafe { fill(bytes.as_mut_ptr().add(9), byte, n) };
                assert_eq!(bytes, expected, "{n} bytes of {byte}");
            }
        }
    }

    #[test]
    fn compares_as_slices_do() {
        for n in lengths() {
            let left = pattern();
            for change in 0..=n {
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut right = pattern();
                    right[change] = byte;
                    // Behind the first that differs, others do too.
                    right[change + 1..].reverse();
                    // SAFETY: both are longer.
                    let found = unsafe { compare(left.as_ptr(), right.as_ptr(), n) };
                    let expected = left[..n].cmp(&right[..n]) as i32;
                    assert_eq!(found.signum(), expected, "{n} bytes, byte {change} is {byte}");
                }
            }
        }
    }
}
