//! Recorded allocations as sizes and lifetimes: the format, a reader and a writer.
//!
//! A trace holds neither addresses nor contents. It starts with the line `heapbase-trace 1` and a newline; events follow, each
//! one or two numbers in LEB128 (seven bits a byte, least first, the top bit set in all but a number's last byte):
//!
//! | first number | second | meaning |
//! | --- | --- | --- |
//! | `size << 2` | | allocates the next block, of `size` bytes, aligned to 8 |
//! | `age << 2 \| 1` | | frees the block allocated `age` allocations ago; 0 is the youngest |
//! | `age << 2 \| 2` | new size | changes that block's size; it keeps its place in the order |
//! | `size << 2 \| 3` | log₂ of the alignment | allocates a block with another alignment |
//!
//! Blocks still alive at the end stay so. So a trace costs two to five bytes for each block.
//!
//! ```
//! use heapbase_trace::{Event, parse, write};
//!
//! let events = [Event::Allocate { size: 24, align: 8 }, Event::Free { block: 0 }];
//! assert_eq!(parse(&write(&events)).unwrap(), events);
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::fmt;

const MAGIC: &[u8] = b"heapbase-trace 1\n";

/// One thing that a program asked of its allocator. Blocks are numbered from 0 in the order of their allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Allocates the next block.
    Allocate {
        /// Bytes asked for.
        size: u32,
        /// Alignment in bytes, a power of two.
        align: u32,
    },
    /// Frees a block.
    Free {
        /// The block's number.
        block: u32,
    },
    /// Changes a block's size.
    Resize {
        /// The block's number.
        block: u32,
        /// Its new size in bytes.
        size: u32,
    },
}

/// What is wrong with a trace, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Offset of the event in the file.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed trace at byte {}: {}", self.offset, self.what)
    }
}

impl std::error::Error for Malformed {}

/// Reads a trace.
///
/// # Errors
///
/// When the bytes are no trace, end within an event, or touch a block that is not alive.
pub fn parse(bytes: &[u8]) -> Result<Vec<Event>, Malformed> {
    let mut rest = bytes.strip_prefix(MAGIC).ok_or(Malformed { offset: 0, what: "no `heapbase-trace 1` line" })?;
    let mut events = Vec::new();
    let mut alive: Vec<bool> = Vec::new();
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let malformed = |what| Malformed { offset, what };
        let mut next = || number(&mut rest).ok_or(malformed("an incomplete or too large number"));
        let head = next()?;
        let value = u32::try_from(head >> 2).map_err(|_| malformed("a number above 32 bits"))?;
        let second = if head & 2 != 0 { next()? } else { 0 };
        let mut block = || {
            let block = (alive.len() as u32).checked_sub(value.saturating_add(1));
            let block = block.filter(|block| alive[*block as usize]);
            let block = block.ok_or(malformed("no such block is alive"))?;
            alive[block as usize] = head & 3 != 1;
            Ok(block)
        };
        let event = match head & 3 {
            1 => Event::Free { block: block()? },
            2 => {
                let size = u32::try_from(second).map_err(|_| malformed("a number above 32 bits"))?;
                Event::Resize { block: block()?, size }
            }
            kind => {
                let log = if kind == 0 { 3 } else { second };
                let align = (log < 32).then(|| 1 << log).ok_or(malformed("an alignment above 2^31"))?;
                alive.push(true);
                Event::Allocate { size: value, align }
            }
        };
        events.push(event);
    }
    Ok(events)
}

/// Writes a trace.
pub fn write(events: &[Event]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let mut blocks = 0u32;
    for event in events {
        match *event {
            Event::Allocate { size, align } => {
                blocks += 1;
                let other = align != 8;
                put(&mut out, u64::from(size) << 2 | if other { 3 } else { 0 });
                if other {
                    put(&mut out, align.trailing_zeros().into());
                }
            }
            Event::Free { block } => put(&mut out, u64::from(blocks - 1 - block) << 2 | 1),
            Event::Resize { block, size } => {
                put(&mut out, u64::from(blocks - 1 - block) << 2 | 2);
                put(&mut out, size.into());
            }
        }
    }
    out
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..42).step_by(7) {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives() {
        let events = [
            Event::Allocate { size: 0, align: 8 },
            Event::Allocate { size: u32::MAX, align: 4096 },
            Event::Resize { block: 0, size: 70_000 },
            Event::Free { block: 1 },
            Event::Free { block: 0 },
        ];
        assert_eq!(parse(&write(&events)).unwrap(), events);
    }

    #[test]
    fn nonsense_is_refused_with_its_place() {
        assert_eq!(parse(b"").unwrap_err().offset, 0);
        let mut twice = write(&[Event::Allocate { size: 8, align: 8 }, Event::Free { block: 0 }]);
        twice.push(1);
        assert_eq!(parse(&twice).unwrap_err(), Malformed { offset: 19, what: "no such block is alive" });
        let mut cut = write(&[]);
        cut.push(0x80);
        assert_eq!(parse(&cut).unwrap_err().offset, 17);
    }
}
