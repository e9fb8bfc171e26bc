//! What the first release of WebAssembly has nothing for, outside of function bodies.

use super::Options;
use crate::SectionKind;
use crate::inspect::Feature;
use crate::pass::{Parts, PassError};
use wasmparser::{ExternalKind, MemoryType, RefType, TableInit, TableType, TypeRef, ValType};

const NUMBERS: &str = "the first release of WebAssembly has only the numbers i32, i64, f32 and f64";

/// Refuses a value type that is no number.
pub(super) fn expect_number(ty: ValType, of: &str, section: SectionKind, offset: u64) -> Result<(), PassError> {
    let feature = match ty {
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => return Ok(()),
        ValType::V128 => Feature::Simd,
        ValType::Ref(RefType::FUNCREF | RefType::EXTERNREF) => Feature::ReferenceTypes,
        ValType::Ref(_) => Feature::Gc,
    };
    Err(PassError::unsupported(format!("{of} of type {ty}"), feature, section, offset, NUMBERS))
}

/// Refuses what cannot be lowered.
pub(super) fn check(parts: &Parts<'_>, options: &Options) -> Result<(), PassError> {
    for (place, item) in parts.types.iter().enumerate() {
        let offset = &item.offset;
        let Some(ty) = parts.ty(place as u32).filter(|_| item.plain) else {
            return Err(PassError::unsupported(
                format!("type {place}, which is not only a function's,"),
                Feature::Gc,
                SectionKind::Type,
                *offset,
                "the first release of WebAssembly has only types of functions",
            ));
        };
        for value in ty.params().iter().chain(ty.results()) {
            expect_number(*value, &format!("type {place} with a value"), SectionKind::Type, *offset)?;
        }
    }
    for (offset, import) in &parts.imports {
        let name = format!("the import `{}.{}`", import.module.escape_debug(), import.name.escape_debug());
        let refused =
            |feature, why| Err(PassError::unsupported(name.as_str(), feature, SectionKind::Import, *offset, why));
        match import.ty {
            TypeRef::Func(_) | TypeRef::Memory(_) | TypeRef::Table(_) => {}
            TypeRef::FuncExact(_) => return refused(Feature::CustomDescriptors, "a plain function type would do"),
            TypeRef::Tag(_) => return refused(Feature::Exceptions, "nothing there can be thrown"),
            TypeRef::Global(ty) => {
                expect_number(ty.content_type, &name, SectionKind::Import, *offset)?;
                if ty.mutable && !options.mutable_globals {
                    return refused(
                        Feature::MutableGlobal,
                        "the value would be the host's too; import functions that read and write it",
                    );
                }
                if ty.shared {
                    return refused(Feature::SharedEverythingThreads, "there is one thread");
                }
            }
        }
    }
    tables(parts)?;
    for (place, (offset, memory)) in parts.memories.iter().enumerate() {
        let section = if place < parts.imported_memories as usize { SectionKind::Import } else { SectionKind::Memory };
        check_memory(place, *offset, memory, section)?;
    }
    if let Some(tags) = parts.sections.iter().find(|section| section.kind == SectionKind::Tag)
        && parts.contents(tags) != [0]
    {
        return Err(PassError::unsupported(
            "a tag",
            Feature::Exceptions,
            SectionKind::Tag,
            tags.range.start as u64,
            "the first release of WebAssembly has no exceptions; compile without them",
        ));
    }
    for (place, (offset, global)) in parts.globals.iter().enumerate() {
        let place = parts.imported_globals() as usize + place;
        expect_number(global.ty.content_type, &format!("global {place}"), SectionKind::Global, *offset)?;
        if global.ty.shared {
            return Err(PassError::unsupported(
                format!("the shared global {place}"),
                Feature::SharedEverythingThreads,
                SectionKind::Global,
                *offset,
                "there is one thread",
            ));
        }
    }
    for (offset, export) in &parts.exports {
        if export.kind == ExternalKind::Tag {
            return Err(PassError::unsupported(
                format!("the export `{}`", export.name.escape_debug()),
                Feature::Exceptions,
                SectionKind::Export,
                *offset,
                "nothing there can be thrown",
            ));
        }
    }
    Ok(())
}

fn tables(parts: &Parts<'_>) -> Result<(), PassError> {
    let imported = parts.imports.iter().filter_map(|(offset, import)| match import.ty {
        TypeRef::Table(ty) => Some((*offset, ty, SectionKind::Import)),
        _ => None,
    });
    let own = parts.tables.iter().map(|(offset, table)| (*offset, table.ty, SectionKind::Table));
    for (place, (offset, ty, section)) in imported.chain(own).enumerate() {
        check_table(place, offset, &ty, section)?;
    }
    for (offset, table) in &parts.tables {
        if let TableInit::Expr(_) = table.init {
            return Err(PassError::unsupported(
                "a table that is filled with a value",
                Feature::FunctionReferences,
                SectionKind::Table,
                *offset,
                "the first release of WebAssembly fills tables by element segments alone",
            ));
        }
    }
    Ok(())
}

fn check_table(place: usize, offset: u64, ty: &TableType, section: SectionKind) -> Result<(), PassError> {
    let refused = |feature, why| {
        Err(PassError::unsupported(format!("table {place} of {}", ty.element_type), feature, section, offset, why))
    };
    match ty.element_type {
        RefType::FUNCREF => {}
        RefType::EXTERNREF => {
            return refused(Feature::ReferenceTypes, "the first release of WebAssembly has only functions in tables");
        }
        _ => return refused(Feature::Gc, "the first release of WebAssembly has only functions in tables"),
    }
    if ty.table64 {
        return refused(Feature::Memory64, "its places are numbered in 64 bits");
    }
    if ty.shared {
        return refused(Feature::SharedEverythingThreads, "there is one thread");
    }
    if place > 0 {
        return refused(Feature::ReferenceTypes, "the first release of WebAssembly has one table");
    }
    Ok(())
}

fn check_memory(place: usize, offset: u64, ty: &MemoryType, section: SectionKind) -> Result<(), PassError> {
    let refused = |feature, why| Err(PassError::unsupported(format!("memory {place}"), feature, section, offset, why));
    if ty.memory64 {
        return refused(Feature::Memory64, "its addresses have 64 bits; compile for wasm32");
    }
    if ty.shared {
        return refused(Feature::Threads, "it is shared between threads; compile without threads");
    }
    if ty.page_size_log2.is_some() {
        return refused(Feature::CustomPageSizes, "the first release of WebAssembly has pages of 64 KiB");
    }
    if place > 0 {
        return refused(Feature::MultiMemory, "the first release of WebAssembly has one memory");
    }
    Ok(())
}
