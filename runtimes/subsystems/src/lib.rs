//! A runtime with two subsystems, each with a budget: one runs out, the other goes on, and the host is told what happened.
//!
//! `run` takes two little-endian 32-bit numbers: how many accounts to put into the index, and how many lines into the journal. It
//! answers with a line of text for each of the two, which says how many are there, or what went wrong.
//!
//! The index may use 64 KiB, the journal 16 KiB. What the journal cannot hold does not cost the index a byte, and the errors
//! lie in a subsystem of their own: they outlive what they are about.

#![no_std]

extern crate alloc;

use alloc::{format, string::String};
use allocator_api2::{alloc::Global, boxed::Box, vec::Vec};
use core::hash::BuildHasherDefault;
use hashbrown::HashMap;
use heapbase::{
    error::{Category, Error, Kind, OUT_OF_MEMORY},
    subsystem::{Figures, Shared, Subsystem},
};

static PARTS: Category = Category::new("parts");
static NO_ACCOUNT: Kind = Kind::new(&PARTS, 1, "an account was not added");
static NO_LINE: Kind = Kind::new(&PARTS, 2, "a line was not written");

/// Where errors live: it stays until the last of them is gone.
type Errors = Shared<Global>;

/// Why a collection in this part got no memory for `bytes` more: its budget, or the module's memory.
fn denied(part: &Subsystem<Global>, before: &Figures, bytes: usize) -> Error<'static> {
    Error::with_number(part.figures().denied_since(before).unwrap_or(&OUT_OF_MEMORY), bytes)
}

/// Adds so many accounts, and returns the sum of what they own.
fn index(part: &Subsystem<Global>, errors: &Errors, accounts: u32) -> Result<u64, Error<'static>> {
    let mut owned: HashMap<u32, u64, BuildHasherDefault<Spread>, _> = HashMap::with_hasher_in(Default::default(), part);
    for account in 0..accounts {
        let before = part.figures();
        if owned.try_reserve(1).is_err() {
            let full = denied(part, &before, 0);
            return Err(Error::build(&NO_ACCOUNT).cause(full).message(errors, format_args!("number {account}")));
        }
        owned.insert(account, u64::from(account) * 3);
    }
    Ok(owned.values().sum())
}

/// Writes so many lines, and returns their bytes.
fn journal(part: &Subsystem<Global>, errors: &Errors, lines: u32) -> Result<u64, Error<'static>> {
    let mut written: Vec<Box<[u8], &Subsystem<Global>>, _> = Vec::new_in(part);
    for line in 0..lines {
        let text = format!("line {line} of the journal");
        let mut bytes = Vec::new_in(part);
        let before = part.figures();
        if written.try_reserve(1).is_err() || bytes.try_reserve_exact(text.len()).is_err() {
            let full = denied(part, &before, text.len());
            return Err(Error::build(&NO_LINE).cause(full).message(errors, format_args!("number {line}")));
        }
        bytes.extend_from_slice(text.as_bytes());
        written.push(bytes.into_boxed_slice());
    }
    Ok(written.iter().map(|line| line.len() as u64).sum())
}

/// A hash of numbers that needs no seed: every run gives the same answer.
#[derive(Default)]
struct Spread(u64);

impl core::hash::Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        }
    }
}

/// Runs both parts.
fn both(accounts: u32, lines: u32) -> String {
    let Ok(errors) = Shared::new(Subsystem::new("errors", Global)) else {
        return String::from("the module has no memory");
    };
    let results = {
        let (indexed, written) = (Subsystem::new("index", Global), Subsystem::new("journal", Global));
        indexed.set_budget(64 * 1024);
        written.set_budget(16 * 1024);
        let results = [journal(&written, &errors, lines), index(&indexed, &errors, accounts)];
        [written, indexed]
            .map(|part| match part.close() {
                Ok((figures, _)) => figures,
                Err(left) => left.figures,
            })
            .into_iter()
            .zip(results)
            .map(|(figures, result)| (figures.name, figures.live, figures.peak <= figures.budget, result))
            .collect::<alloc::vec::Vec<_>>()
    };
    // The parts are gone; what went wrong in them is not.
    let mut answer = String::new();
    for (name, left, within, result) in results {
        let what = match result {
            Ok(sum) => format!("{sum}"),
            Err(error) => format!("{error:#}"),
        };
        answer += &format!("{name}: {what}; {left} bytes left, within its budget: {within}\n");
    }
    answer
}

/// The entry point: see the crate.
///
/// # Safety
///
/// For the host only: `ptr` and `len` describe the block that holds the input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run(ptr: *const u8, len: usize) -> u64 {
    // SAFETY: the host wrote `len` bytes at `ptr` before the call and leaves them alone until it returns.
    let input = unsafe { core::slice::from_raw_parts(ptr, len) };
    let number =
        |at: usize| input.get(at..at + 4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let answer = match (number(0), number(4)) {
        (Some(accounts), Some(lines)) => both(accounts, lines),
        _ => String::from("the input is two numbers of four bytes"),
    };
    // The host reads it and forgets the instance.
    let answer = answer.leak();
    answer.as_ptr().addr() as u64 | (answer.len() as u64) << 32
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
