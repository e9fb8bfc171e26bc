//! What wasmi 2.0.0 gets wrong, kept from it.
//!
//! ```text
//! before                                          after
//! (i32.eqz (local.get 0))                         (i32.eqz (local.get 0))
//! (select)                                        (drop (i32.const 0))
//!                                                 (select)
//! ```
//!
//! wasmi makes one instruction of a `select` and the comparison with zero that decides it: `try_fuse_select` in its translator
//! takes back the comparison that it has just written (`I32Eq` or `I32NotEq` with an immediate 0) and lets the `select` look
//! at what was compared. When that was in the accumulator (`I32Eq_Rri`) all is well. When it was in a slot of the frame, as
//! local variables are (`I32Eq_Rsi`), the `select` still looks into the accumulator, where the result of the comparison would
//! be, and decides by whatever was calculated there last. Branches are not concerned: `fused_cmp_branch` takes the slot over.
//!
//! The comparison need not be the instruction before: `nop`, the end of a `loop` and `i64.extend_i32_u` come to nothing in
//! wasmi's translation, and `i64.eqz` of an extended comparison turns that comparison round. So every `select` is guarded,
//! whatever comes before it. The guard does nothing, and wasmi knows: it translates neither `i32.const` nor `drop` to
//! anything, but `drop` ends what may be taken back. What is lost is one step where wasmi would have been right. Guard and
//! `select` together count as one unit of fuel, as `select` alone does (see [`FUEL`]).
//!
//! `tests/agreement` compares the engines on programs made by chance, and fails as soon as wasmi no longer needs this.
//! `docs/wasmi-select.md` is the report for its authors.

use std::ops::Range;

use wasm_encoder::{Encode, Section, SectionId};
use wasmparser::{BinaryReader, CodeSectionReader};

/// Opcode of `select`. The other one, with a type, belongs to a proposal that the host does not allow.
pub(crate) const SELECT: u8 = 0x1b;

/// `i32.const 0`, `drop`.
const GUARD: [u8; 3] = [0x41, 0x00, 0x1a];

/// Units of fuel that a `select` takes with its guard in front: 1 of the constant and none of `drop`, so none are left for
/// the `select`.
pub(crate) const FUEL: u8 = 0;

/// A code section in which every `select` has the guard in front.
pub(crate) struct Guarded<'a> {
    wasm: &'a [u8],
    selects: &'a [usize],
    /// Where each body lies without its size, and which of the `selects` are in it.
    bodies: Vec<(Range<usize>, Range<usize>)>,
    /// Bytes of the section's contents.
    size: usize,
}

impl<'a> Guarded<'a> {
    /// Lays out the section whose contents are at `section`. `selects`: the offsets of all of them in `wasm`, rising.
    pub(crate) fn new(
        wasm: &'a [u8],
        section: Range<usize>,
        selects: &'a [usize],
    ) -> Result<Self, wasmparser::BinaryReaderError> {
        let reader = CodeSectionReader::new(BinaryReader::new(&wasm[section.clone()], section.start as u64))?;
        let mut bodies = Vec::with_capacity(reader.count() as usize);
        let mut first = 0;
        for body in reader {
            let range = body?.range();
            let range = range.start as usize..range.end as usize;
            let inside = selects[first..].iter().take_while(|at| **at < range.end).count();
            bodies.push((range, first..first + inside));
            first += inside;
        }
        debug_assert_eq!(first, selects.len(), "all of them lie in bodies, in rising order");
        let mut size = leb_bytes(bodies.len());
        for (body, inside) in &bodies {
            let body = body.len() + inside.len() * GUARD.len();
            size += leb_bytes(body) + body;
        }
        Ok(Self { wasm, selects, bodies, size })
    }
}

impl Encode for Guarded<'_> {
    fn encode(&self, sink: &mut Vec<u8>) {
        sink.reserve(self.size + 5);
        self.size.encode(sink);
        self.bodies.len().encode(sink);
        for (body, inside) in &self.bodies {
            (body.len() + inside.len() * GUARD.len()).encode(sink);
            let mut at = body.start;
            for select in &self.selects[inside.clone()] {
                sink.extend_from_slice(&self.wasm[at..*select]);
                sink.extend_from_slice(&GUARD);
                at = *select;
            }
            sink.extend_from_slice(&self.wasm[at..body.end]);
        }
    }
}

impl Section for Guarded<'_> {
    fn id(&self) -> u8 {
        SectionId::Code.into()
    }
}

/// How many bytes a number takes as unsigned LEB128.
fn leb_bytes(number: usize) -> usize {
    (usize::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Features, Limits},
        prepare::{For, prepare},
        surface,
    };

    /// Code as it is, and with the guard written out.
    #[test]
    fn every_select_is_guarded_and_nothing_else_changes() {
        let select = "(drop (select (i32.const 27) (i32.const 0x1b1b) (local.get 0)))";
        // Bodies whose size needs more bytes with the guards than without.
        let functions: String = (0..24)
            .map(|number| format!("(func (export \"f{number}\") (param i32) {})\n", select.repeat(number)))
            .collect();
        let module = |functions: &str| {
            let text = format!(
                "(module (memory (export \"memory\") 1) (global (export \"__heap_base\") i32 (i32.const 1024))
                 {functions} (data (i32.const 16) \"data\"))"
            );
            wat::parse_str(text).expect("the text is a module")
        };
        let prepared = |wasm: &[u8], guard: bool| {
            let surface = surface::read(wasm).expect("a runtime");
            let valid = surface::validate(wasm, Features::Node, &Limits::default()).expect("it is valid");
            let selects = if guard { valid.selects } else { Vec::new() };
            prepare(wasm, &surface, 1, For::Wasmi(&selects)).expect("prepared").wasm
        };
        let guarded = prepared(&module(&functions), true);
        let by_hand = functions.replace("(local.get 0)))", "(local.get 0) (drop (i32.const 0))))");
        assert_eq!(guarded, prepared(&module(&by_hand), false));
        assert_ne!(guarded, prepared(&module(&functions), false));
    }

    #[test]
    fn lengths_of_leb128() {
        for number in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, u32::MAX as usize] {
            let mut bytes = Vec::new();
            number.encode(&mut bytes);
            assert_eq!(bytes.len(), leb_bytes(number), "{number}");
        }
    }
}
