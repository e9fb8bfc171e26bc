//! `v1`: the runtime owns the heap and exports its allocator.

use super::super::collector::Problems;
use super::super::flaw::{Flaw, Place};
use super::super::outline::Outline;
use super::common;
use crate::{SectionKind, Spec};
use wasmparser::ValType::{self, I32};

/// The allocator's exports. The host calls the first; the RFC asks for all three.
pub(super) const ALLOCATOR: [(&str, &[ValType], &[ValType], &str); 3] = [
    ("alloc", &[I32], &[I32], "a function `(i32) -> i32`"),
    ("dealloc", &[I32, I32], &[], "a function `(i32, i32)`"),
    ("realloc", &[I32, I32, I32], &[I32], "a function `(i32, i32, i32) -> i32`"),
];

/// Checks a module that exports the marker.
pub(super) fn check(outline: &Outline<'_>, problems: &mut Problems) {
    for (name, params, results, expected) in ALLOCATOR {
        match outline.export(name) {
            Some(export) => common::check_function(outline, export, params, results, expected, problems),
            None => {
                let place = Place::of(SectionKind::Export, outline.section_offset(SectionKind::Export));
                problems.add(Flaw::MissingExport { spec: Spec::V1, expected }, place.named(name));
            }
        }
    }
    for import in outline.imports.iter().filter(|import| common::is_host_allocator(import)) {
        let place = Place::at(SectionKind::Import, import.offset).named(common::import_name(import));
        problems.add(Flaw::MixedAllocators, place);
    }
}
