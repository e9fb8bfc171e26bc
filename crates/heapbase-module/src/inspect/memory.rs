//! The memory that host and runtime share.

use super::outline::{Extern, Outline};
use super::report::{ExternKind, Memory, MemoryKind};

/// Bytes in a page.
const PAGE: u64 = 65536;

/// Whether an import is the memory that a host provides.
pub(super) fn is_shared_import(module: &str, name: &str, item: Extern) -> bool {
    (module, name, item.kind()) == ("env", "memory", ExternKind::Memory)
}

/// The memory as the report shows it; `None` where the module has none.
pub(super) fn of_report(outline: &Outline<'_>) -> Option<Memory> {
    let is_shared = |import: &super::outline::Import<'_>| {
        is_shared_import(import.module, import.name, import.item)
    };
    let imported = outline.imports.iter().any(is_shared);
    let exported = outline
        .export("memory")
        .filter(|export| export.kind == ExternKind::Memory);
    let kind = match (imported, exported) {
        (true, Some(_)) => MemoryKind::Both,
        (true, None) => MemoryKind::Imported,
        (false, Some(_)) => MemoryKind::Exported,
        (false, None) => MemoryKind::Private,
    };
    // The exported one, where several memories are declared.
    let index = exported.map_or(0, |export| export.index as usize);
    let ty = outline.memories.get(index)?;
    Some(Memory {
        kind,
        min: ty.initial,
        max: ty.maximum,
    })
}

/// Bytes of memory that the module begins with.
pub(super) fn initial_bytes(outline: &Outline<'_>) -> Option<u64> {
    let ty = outline.memories.first()?;
    Some(ty.initial.saturating_mul(if ty.page_size_log2.is_some() {
        u64::from(ty.page_size())
    } else {
        PAGE
    }))
}
