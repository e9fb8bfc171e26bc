//! `legacy`: the host owns the heap, which begins at `__heap_base`.

use super::super::collector::Problems;
use super::super::flaw::{Flaw, Place};
use super::super::outline::{Extern, Outline};
use super::super::report::ExternKind;
use super::{common, v1};
use crate::{SectionKind, Spec};
use wasmparser::ValType::{self, I32};

const HEAP_BASE: &str = "__heap_base";

/// The imports through which the runtime asks the host for memory.
const HOST_ALLOCATOR: [(&str, &[ValType], &[ValType], &str); 2] = [
    ("ext_allocator_malloc_version_1", &[I32], &[I32], "a function `(i32) -> i32`"),
    ("ext_allocator_free_version_1", &[I32], &[], "a function `(i32)`"),
];

/// Checks a module whose heap the host owns.
pub(super) fn check(outline: &Outline<'_>, spec: Spec, problems: &mut Problems) {
    check_heap_base(outline, spec, problems);
    for (name, params, results, expected) in HOST_ALLOCATOR {
        for import in outline.imports.iter().filter(|import| import.module == "env" && import.name == name) {
            let place = Place::at(SectionKind::Import, import.offset).named(common::import_name(import));
            match import.item {
                Extern::Function(ty) if common::has_type(outline, ty, params, results) => {}
                Extern::Function(_) => {
                    problems.add(Flaw::WrongSignature { found: outline.type_text(import.item), expected }, place);
                }
                // Told as an import that no host provides.
                _ => {}
            }
        }
    }
    let allocator = v1::ALLOCATOR.iter().filter_map(|(name, ..)| outline.export(name));
    let functions: Vec<_> = allocator.filter(|export| export.kind == ExternKind::Function).collect();
    if let ([first, _, _], None) = (&functions[..], outline.export("v1")) {
        let place = Place::at(SectionKind::Export, first.offset).named(first.name);
        problems.add(Flaw::AllocatorWithoutMarker, place);
    }
}

fn check_heap_base(outline: &Outline<'_>, spec: Spec, problems: &mut Problems) {
    const EXPECTED: &str = "a global of type `i32`";
    let Some(export) = outline.export(HEAP_BASE) else {
        let place = Place::of(SectionKind::Export, outline.section_offset(SectionKind::Export));
        problems.add(Flaw::MissingExport { spec, expected: EXPECTED }, place.named(HEAP_BASE));
        return;
    };
    let place = Place::at(SectionKind::Export, export.offset).named(HEAP_BASE);
    if export.kind != ExternKind::Global {
        problems.add(Flaw::WrongKind { found: export.kind, expected: EXPECTED }, place);
        return;
    }
    // An index that points at nothing does not validate, and is told there.
    let Some(global) = outline.heap_base_global() else {
        return;
    };
    if global.ty.content_type != I32 {
        let found = outline.type_text(Extern::Global(global.ty));
        problems.add(Flaw::WrongSignature { found, expected: EXPECTED }, place);
        return;
    }
    match (spec, global.ty.mutable, global.value) {
        (_, false, Some(_)) => {}
        (Spec::Local, ..) => problems.add(Flaw::MovingHeapBase, place.clone()),
        (_, true, _) => problems.add(Flaw::MutableHeapBase, place.clone()),
        (_, _, None) => problems.add(Flaw::ComputedHeapBase, place.clone()),
    }
    if let (Some(heap_base), Some(data_end)) = (global.value, outline.data_end())
        && data_end > u64::from(heap_base)
    {
        problems.add(Flaw::DataAboveHeapBase { data_end, heap_base }, place);
    }
}
