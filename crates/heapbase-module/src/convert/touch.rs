//! Which entry points begin with a store to the last page of the runtime's data.
//!
//! Nearly every runtime reads a static when it is entered and then writes it (has the logger been installed?), and the statics
//! lie at the end of the data. Under copy-on-write that is two page faults: the page is mapped for reading, and then copied. In a
//! legacy runtime the host has written to that page before, because its heap begins there, and neither happens. So it is in a
//! converted one, unless so little is left of that page that the host's heap begins in the next. Then the entry
//! points that do this get one store in front, to one of the arena's words that is 0 anyway: the page is copied at once.

use super::{
    code::{Reference, stores_at},
    survey::Survey,
};
use crate::splice;
use std::{collections::BTreeSet, ops::Range};
use wasm_encoder::Instruction as I;
use wasmparser::{ExternalKind, ValType};

/// Bytes of a page of the machines that nodes run on.
const PAGE: u64 = 4096;
/// How far from an entry point the store is looked for, in calls.
const DEPTH: u32 = 2;

/// The entry points (function indices) that write to the data's last page, which ends at `low` or behind.
pub(super) fn entries(survey: &Survey<'_>, low: u64) -> Vec<u32> {
    let statics = low & !(PAGE - 1)..low;
    if statics.is_empty() {
        return Vec::new();
    }
    let is_entry = |function: u32| {
        let ty = survey.function_type(function);
        ty.is_some_and(|ty| ty.params() == [ValType::I32; 2] && ty.results() == [ValType::I64])
    };
    let entries: BTreeSet<u32> = survey
        .exports
        .iter()
        .filter(|(_, kind, index)| {
            *kind == ExternalKind::Func && *index >= survey.imported_functions && is_entry(*index)
        })
        .map(|(.., index)| *index)
        .collect();
    entries.into_iter().filter(|entry| writes(survey, *entry, &statics, DEPTH)).collect()
}

/// Whether a function, or what it calls within `depth` calls, stores to a constant address in `range`.
fn writes(survey: &Survey<'_>, function: u32, range: &Range<u64>, depth: u32) -> bool {
    let Some(Ok(operators)) = survey.body(function).map(wasmparser::FunctionBody::get_operators_reader) else {
        return false;
    };
    let mut called = BTreeSet::new();
    for operator in operators.into_iter().map_while(Result::ok) {
        if stores_at(&operator).is_some_and(|address| range.contains(&address)) {
            return true;
        }
        if let Some(Reference::Call(function)) = Reference::of(&operator) {
            called.insert(function);
        }
    }
    depth > 0 && called.into_iter().any(|function| writes(survey, function, range, depth - 1))
}

/// The store: 0 to a word that nobody reads.
pub(super) fn store(address: u32) -> Vec<u8> {
    splice::instructions(&[I::I32Const(address.cast_signed()), I::I32Const(0), I::I32Store(splice::memory(0, 2))])
}
