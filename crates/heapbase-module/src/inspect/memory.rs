//! The memory that host and runtime share.

use super::outline::{Extern, Outline};
use super::report::{ExternKind, Memory, MemoryKind};
use wasmparser::MemoryType;

/// Bytes in a page.
const PAGE: u64 = 65536;

/// Whether an import is the memory that a host provides.
pub(super) fn is_shared_import(module: &str, name: &str, item: Extern) -> bool {
    (module, name, item.kind()) == ("env", "memory", ExternKind::Memory)
}

/// The memory as the report shows it; `None` where the module has none.
pub(super) fn of_report(outline: &Outline<'_>) -> Option<Memory> {
    let is_shared = |import: &super::outline::Import<'_>| is_shared_import(import.module, import.name, import.item);
    let imported = outline.imports.iter().any(is_shared);
    let exported = outline.export("memory").filter(|export| export.kind == ExternKind::Memory);
    let kind = match (imported, exported) {
        (true, Some(_)) => MemoryKind::Both,
        (true, None) => MemoryKind::Imported,
        (false, Some(_)) => MemoryKind::Exported,
        (false, None) => MemoryKind::Private,
    };
    let ty = shared_type(outline)?;
    let pages = |count: u64| count.saturating_mul(page_size(&ty)).div_ceil(PAGE);
    Some(Memory { kind, min: pages(ty.initial), max: ty.maximum.map(pages) })
}

/// The memory that host and runtime share: the exported one where there are several.
pub(super) fn shared_type(outline: &Outline<'_>) -> Option<MemoryType> {
    let exported = outline.export("memory").filter(|export| export.kind == ExternKind::Memory);
    outline.memories.get(exported.map_or(0, |export| export.index as usize)).copied()
}

/// What makes a memory unfit for sharing.
pub(super) fn unfit(ty: &MemoryType) -> Option<&'static str> {
    match ty {
        MemoryType { memory64: true, .. } => Some("addressed with 64 bits"),
        MemoryType { shared: true, .. } => Some("shared between threads"),
        MemoryType { page_size_log2: Some(_), .. } => Some("one with pages of another size"),
        _ => None,
    }
}

/// Bytes of memory that the module begins with.
pub(super) fn initial_bytes(outline: &Outline<'_>) -> Option<u64> {
    let ty = outline.memories.first()?;
    Some(ty.initial.saturating_mul(page_size(ty)))
}

/// Bytes in a page of this memory. The exponent comes from the module, so it may be anything.
fn page_size(ty: &MemoryType) -> u64 {
    ty.page_size_log2.map_or(PAGE, |log2| 1_u64.checked_shl(log2).unwrap_or(u64::MAX))
}
