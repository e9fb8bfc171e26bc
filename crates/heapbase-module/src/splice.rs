//! Bytes copied with some of them replaced.

use std::ops::Range;
use wasm_encoder::Encode;

/// A copy of a range of a file, made from left to right, in which instructions are replaced.
pub(crate) struct Splice<'a> {
    wasm: &'a [u8],
    at: usize,
    end: usize,
    out: Vec<u8>,
}

impl<'a> Splice<'a> {
    /// Begins a copy of `range`.
    pub(crate) fn new(wasm: &'a [u8], range: Range<usize>) -> Self {
        Self { wasm, at: range.start, end: range.end, out: Vec::with_capacity(range.len() + 16) }
    }

    /// Copies up to `range`, and puts `with` in its place. Ranges come in rising order.
    pub(crate) fn replace(&mut self, range: Range<usize>, with: &[u8]) {
        debug_assert!(self.at <= range.start && range.end <= self.end);
        self.out.extend_from_slice(&self.wasm[self.at..range.start]);
        self.out.extend_from_slice(with);
        self.at = range.end;
    }

    /// Puts bytes behind what was replaced last.
    pub(crate) fn insert(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// How long the copy is so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// The whole copy.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(&self.wasm[self.at..self.end]);
        self.out
    }
}

/// The instruction that calls `function`; `like` is the one it replaces. Some linkers pad indices to five bytes, which is
/// kept: then a conversion that is undone gives the very bytes again.
pub(crate) fn call(function: u32, like: &[u8]) -> Vec<u8> {
    const CALL: u8 = 0x10;
    const PADDED: usize = 5;
    let mut bytes = vec![CALL];
    if like.len() == 1 + PADDED {
        bytes.extend((0..PADDED).map(|byte| {
            let more = if byte + 1 < PADDED { 0x80 } else { 0 };
            (function >> (7 * byte)) as u8 & 0x7f | more
        }));
    } else {
        function.encode(&mut bytes);
    }
    bytes
}

/// Instructions as bytes.
pub(crate) fn instructions(list: &[wasm_encoder::Instruction<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for instruction in list {
        instruction.encode(&mut bytes);
    }
    bytes
}

/// A vector section with items added behind its own: its count, and then the bytes as they were.
pub(crate) fn appended(contents: &[u8], added: u32, items: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    joined(contents, added, &[], items)
}

/// A vector section with items added in front of its own.
pub(crate) fn prepended(contents: &[u8], added: u32, items: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    joined(contents, added, items, &[])
}

fn joined(contents: &[u8], added: u32, front: &[u8], behind: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    let mut reader = wasmparser::BinaryReader::new(contents, 0);
    let count = reader.read_var_u32()?;
    let own = &contents[reader.current_position()..];
    let mut bytes = Vec::with_capacity(contents.len() + front.len() + behind.len() + 5);
    count.saturating_add(added).encode(&mut bytes);
    bytes.extend_from_slice(front);
    bytes.extend_from_slice(own);
    bytes.extend_from_slice(behind);
    Ok(bytes)
}

/// The operand of a load or store: `offset` bytes from the address on the stack, with the alignment `1 << align`.
pub(crate) fn memory(offset: u32, align: u32) -> wasm_encoder::MemArg {
    wasm_encoder::MemArg { offset: offset.into(), align, target: wasm_encoder::MemArgTarget::Memory(0), ordering: None }
}
