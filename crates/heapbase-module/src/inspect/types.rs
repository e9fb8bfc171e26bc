//! Types: which features they need, and how they read as text.

use super::features::{Feature, Tally};
use std::fmt::Write;
use std::sync::Arc;
use wasmparser::{
    AbstractHeapType, BlockType, CompositeInnerType, FuncType, GlobalType, HeapType, MemoryType, RecGroup, RefType,
    StorageType, SubType, TableType, ValType,
};

/// Parameters or results written out before the rest is only counted. Without a limit a module of a few megabytes,
/// with one very long type and many exports of it, would make a report of gigabytes.
const WRITTEN_OUT: usize = 16;

/// A function type as text: `(i32, i32) -> i64`.
pub(super) fn function_text(ty: &FuncType) -> Arc<str> {
    let mut text = list(ty.params());
    match ty.results() {
        [] => {}
        [one] => write!(text, " -> {one}").unwrap_or_default(),
        many => write!(text, " -> {}", list(many)).unwrap_or_default(),
    }
    text.into()
}

fn list(types: &[ValType]) -> String {
    let mut words: Vec<String> = types.iter().take(WRITTEN_OUT).map(ValType::to_string).collect();
    if types.len() > WRITTEN_OUT {
        words.push(format!("… {} more", types.len() - WRITTEN_OUT));
    }
    format!("({})", words.join(", "))
}

/// A global's type as text: `i32`, or `mut i32`.
pub(super) fn global_text(ty: &GlobalType) -> Arc<str> {
    format!("{}{}", if ty.mutable { "mut " } else { "" }, ty.content_type).into()
}

/// A table's type as text: `funcref, 10 to 20`.
pub(super) fn table_text(ty: &TableType) -> Arc<str> {
    format!("{}, {}", ty.element_type, limits(ty.initial, ty.maximum, "")).into()
}

/// A memory's type as text: `17 pages or more`.
pub(super) fn memory_text(ty: &MemoryType) -> Arc<str> {
    limits(ty.initial, ty.maximum, " pages").into()
}

fn limits(min: u64, max: Option<u64>, unit: &str) -> String {
    match max {
        Some(max) => format!("{min} to {max}{unit}"),
        None => format!("{min}{unit} or more"),
    }
}

/// Features that a group of types needs.
pub(super) fn scan_group(group: &RecGroup, offset: u64, tally: &mut Tally) {
    if group.is_explicit_rec_group() {
        tally.add(Feature::Gc, offset);
    }
    for ty in group.types() {
        scan_type(ty, offset, tally);
    }
}

fn scan_type(ty: &SubType, offset: u64, tally: &mut Tally) {
    let composite = &ty.composite_type;
    if !ty.is_final || !ty.supertype_idxs.is_empty() {
        tally.add(Feature::Gc, offset);
    }
    if composite.shared {
        tally.add(Feature::SharedEverythingThreads, offset);
    }
    if composite.descriptor_idx.is_some() || composite.describes_idx.is_some() {
        tally.add(Feature::CustomDescriptors, offset);
    }
    let mut field = |ty: StorageType| {
        if let StorageType::Val(ty) = ty {
            scan_value(ty, offset, tally);
        }
    };
    match &composite.inner {
        CompositeInnerType::Func(ty) => {
            if ty.results().len() > 1 {
                tally.add(Feature::MultiValue, offset);
            }
            for &ty in ty.params().iter().chain(ty.results()) {
                scan_value(ty, offset, tally);
            }
        }
        CompositeInnerType::Array(ty) => {
            field(ty.0.element_type);
            tally.add(Feature::Gc, offset);
        }
        CompositeInnerType::Struct(ty) => {
            ty.fields.iter().for_each(|ty| field(ty.element_type));
            tally.add(Feature::Gc, offset);
        }
        CompositeInnerType::Cont(_) => tally.add(Feature::StackSwitching, offset),
    }
}

/// The feature that a value type needs.
pub(super) fn scan_value(ty: ValType, offset: u64, tally: &mut Tally) {
    match ty {
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => {}
        ValType::V128 => tally.add(Feature::Simd, offset),
        ValType::Ref(ty) => scan_reference(ty, offset, tally),
    }
}

/// The feature that a reference type needs.
pub(super) fn scan_reference(ty: RefType, offset: u64, tally: &mut Tally) {
    use AbstractHeapType::{
        Any, Array, Cont, Eq, Exn, Extern, Func, I31, NoCont, NoExn, NoExtern, NoFunc, None, Struct,
    };
    let feature = match ty.heap_type() {
        HeapType::Concrete(_) => Feature::FunctionReferences,
        HeapType::Exact(_) => Feature::CustomDescriptors,
        HeapType::Abstract { shared: true, .. } => Feature::SharedEverythingThreads,
        HeapType::Abstract { ty: Func | Extern, .. } if ty.is_nullable() => Feature::ReferenceTypes,
        HeapType::Abstract { ty: Func | Extern, .. } => Feature::FunctionReferences,
        HeapType::Abstract { ty: Any | None | NoExtern | NoFunc | Eq | Struct | Array | I31, .. } => Feature::Gc,
        HeapType::Abstract { ty: Exn | NoExn, .. } => Feature::Exceptions,
        HeapType::Abstract { ty: Cont | NoCont, .. } => Feature::StackSwitching,
    };
    tally.add(feature, offset);
}

/// Features that the type of a block needs.
pub(super) fn scan_block(ty: BlockType, offset: u64, tally: &mut Tally) {
    match ty {
        BlockType::Empty => {}
        BlockType::Type(ty) => scan_value(ty, offset, tally),
        BlockType::FuncType(_) => tally.add(Feature::MultiValue, offset),
    }
}

/// Features that a table's type needs.
pub(super) fn scan_table(ty: &TableType, offset: u64, tally: &mut Tally) {
    if ty.element_type != RefType::FUNCREF {
        scan_reference(ty.element_type, offset, tally);
    }
    if ty.table64 {
        tally.add(Feature::Memory64, offset);
    }
    if ty.shared {
        tally.add(Feature::SharedEverythingThreads, offset);
    }
}

/// Features that a memory's type needs.
pub(super) fn scan_memory(ty: &MemoryType, offset: u64, tally: &mut Tally) {
    if ty.memory64 {
        tally.add(Feature::Memory64, offset);
    }
    if ty.shared {
        tally.add(Feature::Threads, offset);
    }
    if ty.page_size_log2.is_some() {
        tally.add(Feature::CustomPageSizes, offset);
    }
}

/// Features that a global's type needs.
pub(super) fn scan_global(ty: &GlobalType, offset: u64, tally: &mut Tally) {
    scan_value(ty.content_type, offset, tally);
    if ty.shared {
        tally.add(Feature::SharedEverythingThreads, offset);
    }
}
