//! What every spec asks for: a memory that the host reaches, imports that hosts provide, something to call.

use super::super::collector::Problems;
use super::super::flaw::{Flaw, Place};
use super::super::memory;
use super::super::outline::{Export, Extern, Import, Outline};
use super::super::report::{ExternKind, MemoryKind};
use super::v1;
use crate::{SectionKind, Spec};
use wasmparser::ValType::{self, I32, I64};

/// What toolchains export beside entry points; not worth a note.
const NO_ENTRY_POINTS: [&str; 4] = ["_initialize", "_start", "__wasm_call_ctors", "__wasm_init_memory"];

/// Checks what all specs share.
pub(super) fn check(outline: &Outline<'_>, spec: Spec, problems: &mut Problems) {
    check_imports(outline, problems);
    check_memory(outline, problems);
    check_entry_points(outline, spec, problems);
    if let Some((function, offset)) = outline.start {
        problems.add(Flaw::StartFunction { function }, Place::at(SectionKind::Start, offset));
    }
}

fn check_imports(outline: &Outline<'_>, problems: &mut Problems) {
    for import in &outline.imports {
        let place = Place::at(SectionKind::Import, import.offset).named(import_name(import));
        if import.module != "env" {
            problems.add(Flaw::ForeignImport { module: import.module.to_owned() }, place);
        } else if !matches!(import.item, Extern::Function(_))
            && !memory::is_shared_import("env", import.name, import.item)
        {
            problems.add(Flaw::UnknownImportKind { kind: import.item.kind() }, place);
        }
    }
}

fn check_memory(outline: &Outline<'_>, problems: &mut Problems) {
    match memory::of_report(outline).map(|memory| memory.kind) {
        Some(MemoryKind::Imported | MemoryKind::Exported) => {}
        Some(MemoryKind::Both) => {
            let offset = outline.export("memory").map(|export| export.offset);
            problems.add(Flaw::MemoryTwice, Place::of(SectionKind::Export, offset).named("memory"));
        }
        Some(MemoryKind::Private) | None => {
            let place = Place::of(SectionKind::Memory, outline.section_offset(SectionKind::Memory));
            problems.add(Flaw::UnreachableMemory, place.named("memory"));
        }
    }
    if let Some(what) = memory::shared_type(outline).and_then(|ty| memory::unfit(&ty)) {
        let place = Place::of(SectionKind::Memory, outline.section_offset(SectionKind::Memory));
        problems.add(Flaw::UnfitMemory { what }, place.named("memory"));
    }
    if let Some((data_end, memory_end)) = outline.data_end().zip(memory::initial_bytes(outline))
        && data_end > memory_end
    {
        let place = Place::of(SectionKind::Data, outline.section_offset(SectionKind::Data));
        problems.add(Flaw::DataOutsideMemory { data_end, memory_end }, place);
    }
}

fn check_entry_points(outline: &Outline<'_>, spec: Spec, problems: &mut Problems) {
    let (mut entries, mut core_version) = (0_u64, false);
    for export in outline.exports.iter().filter(|export| export.kind == ExternKind::Function) {
        let Some(Extern::Function(ty)) = outline.export_item(export) else {
            continue;
        };
        if is_allocator(export.name, spec) || NO_ENTRY_POINTS.contains(&export.name) {
            continue;
        }
        if has_type(outline, ty, &[I32, I32], &[I64]) {
            entries += 1;
            core_version |= export.name == "Core_version";
        } else {
            let place = Place::at(SectionKind::Export, export.offset).named(export.name);
            problems.add(Flaw::NotAnEntryPoint { found: outline.type_text(Extern::Function(ty)) }, place);
        }
    }
    let place = Place::of(SectionKind::Export, outline.section_offset(SectionKind::Export));
    if entries == 0 {
        problems.add(Flaw::NoEntryPoint, place);
    } else if !core_version && outline.custom("runtime_version").is_none() {
        problems.add(Flaw::NoVersion, place);
    }
}

fn is_allocator(name: &str, spec: Spec) -> bool {
    spec == Spec::V1 && (name == "v1" || v1::ALLOCATOR.iter().any(|(allocator, ..)| *allocator == name))
}

/// Whether an import is one of the two functions of the host's allocator.
pub(super) fn is_host_allocator(import: &Import<'_>) -> bool {
    import.module == "env" && matches!(import.name, "ext_allocator_malloc_version_1" | "ext_allocator_free_version_1")
}

/// An import's name as it is reported: `env.name`.
pub(super) fn import_name(import: &Import<'_>) -> String {
    format!("{}.{}", import.module, import.name)
}

/// Whether the type with this index is the function type given.
pub(super) fn has_type(outline: &Outline<'_>, index: u32, params: &[ValType], results: &[ValType]) -> bool {
    outline.function_type(index).is_some_and(|ty| ty.params() == params && ty.results() == results)
}

/// Reports an export that is not a function of the type given.
pub(super) fn check_function(
    outline: &Outline<'_>,
    export: &Export<'_>,
    params: &[ValType],
    results: &[ValType],
    expected: &'static str,
    problems: &mut Problems,
) {
    let place = Place::at(SectionKind::Export, export.offset).named(export.name);
    match outline.export_item(export) {
        Some(Extern::Function(ty)) if has_type(outline, ty, params, results) => {}
        Some(item @ Extern::Function(_)) => {
            problems.add(Flaw::WrongSignature { found: outline.type_text(item), expected }, place);
        }
        _ => problems.add(Flaw::WrongKind { found: export.kind, expected }, place),
    }
}
