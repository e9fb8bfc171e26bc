//! The report: what a program reads as JSON and a person as a table.

use super::features::FeatureUse;
use super::flaw::Problem;
use super::outline::{Extern, Outline};
use crate::{Blake2_256, SectionKind, Spec};
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Everything that [`inspect`](fn@super::inspect) finds out about a module. Serialises to one JSON object.
///
/// Absent things are `null` and empty lists, never missing keys.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Who owns the heap.
    pub spec: Spec,
    /// Whether no problem has the severity [`Error`](super::Severity::Error).
    pub conforms: bool,
    /// The hash of the module, decompressed.
    pub blake2_256: Blake2_256,
    /// The hash of the compressed form, where the module came in it: what a chain authorises.
    pub blake2_256_compressed: Option<Blake2_256>,
    /// Everything that breaks a rule or is worth a word, the worst first.
    pub problems: Vec<Problem>,
    /// What the module's own record says of its conversion; `null` where there is none, or none that can be read.
    pub conversion: Option<Conversion>,
    /// The imports, in the module's order.
    pub imports: Vec<Import>,
    /// The exports, in the module's order.
    pub exports: Vec<Export>,
    /// The memory that host and runtime share.
    pub memory: Option<Memory>,
    /// The value of the exported global `__heap_base`, where it is an `i32` constant.
    pub heap_base: Option<u32>,
    /// The first address behind all initialised data, where every data segment has a constant address.
    pub data_end: Option<u64>,
    /// What the custom section `runtime_version` says; `null` where a node has to ask `Core_version`.
    pub runtime_version: Option<RuntimeVersion>,
    /// What the custom section `runtime_apis` lists.
    pub runtime_apis: Vec<RuntimeApi>,
    /// What the module uses beyond the first release of WebAssembly.
    pub features: Vec<FeatureUse>,
    /// Bytes of the module, decompressed.
    pub size: u64,
    /// Bytes of the compressed form, with its magic, where the module came in it.
    pub size_compressed: Option<u64>,
    /// The sections, in the module's order. Their sizes and the header's 8 bytes add up to [`size`](Self::size).
    pub sections: Vec<Section>,
}

/// A module's record of its conversion, without what undoes it ([`crate::record::Record`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Conversion {
    /// The allocator spec that the module was converted to.
    pub to: Spec,
    /// The version of heapbase that converted it.
    pub converter: String,
    /// Name of the allocator.
    pub allocator: String,
    /// BLAKE2-256 of the allocator module.
    pub allocator_blake2_256: String,
    /// Bytes of the arena; 0 under v1.
    pub arena: u32,
    /// Whether growing of blocks was led to the allocator.
    pub in_place: bool,
    /// BLAKE2-256 of the original, raw.
    pub original_blake2_256: String,
    /// How the module was adapted; `null` for one that was converted.
    pub adapted: Option<crate::record::Adapted>,
}

/// What can be imported or exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ExternKind {
    /// A function.
    Function,
    /// A table.
    Table,
    /// A memory.
    Memory,
    /// A global.
    Global,
    /// An exception tag.
    Tag,
}

impl fmt::Display for ExternKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Tag => "tag",
        })
    }
}

/// One import.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Import {
    /// The module it is asked of; `env` is the only one that nodes provide.
    pub module: String,
    /// Its name there.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
    /// Its type as text, such as `(i32) -> i64`; long lists are cut.
    #[serde(rename = "type", serialize_with = "text")]
    pub ty: Arc<str>,
    /// Byte offset of the import.
    pub offset: u64,
}

/// One export.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
    /// Its type as text, such as `(i32, i32) -> i64`; long lists are cut. `?` where the index points at nothing.
    #[serde(rename = "type", serialize_with = "text")]
    pub ty: Arc<str>,
    /// Byte offset of the export.
    pub offset: u64,
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// How the memory is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MemoryKind {
    /// Imported as `env.memory`.
    Imported,
    /// Exported as `memory`.
    Exported,
    /// Imported as `env.memory` and exported as `memory`.
    Both,
    /// Neither: the host cannot reach it.
    Private,
}

/// The memory that host and runtime share, in pages of 64 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Memory {
    /// How it is shared.
    pub kind: MemoryKind,
    /// Pages it begins with.
    pub min: u64,
    /// Pages it may grow to, where the module sets a limit.
    pub max: Option<u64>,
}

/// A runtime's version, as nodes read it without executing anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeVersion {
    /// The chain's rules this is a version of.
    pub spec_name: String,
    /// Who wrote this implementation.
    pub impl_name: String,
    /// Version of the interface for block authors.
    pub authoring_version: u32,
    /// Version of the rules.
    pub spec_version: u32,
    /// Version of the implementation.
    pub impl_version: u32,
    /// Version of the transaction format; 1 where the section is too old to say.
    pub transaction_version: u32,
    /// Version of the storage layout, once named state version; 0 where the section is too old to say.
    pub system_version: u8,
}

/// One runtime API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeApi {
    /// BLAKE2b of 64 bits over the trait's name, as `0x` and 16 digits.
    pub id: String,
    /// The trait's name, where it is a well-known one.
    pub name: Option<&'static str>,
    /// Its version.
    pub version: u32,
}

/// One section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Section {
    /// What it is.
    pub kind: SectionKind,
    /// Its name, for a custom section.
    pub name: Option<String>,
    /// Byte offset of its first byte, the identifier.
    pub offset: u64,
    /// Bytes, with the identifier and the length before its contents.
    pub size: u64,
    /// How many items it holds, where it is a list.
    pub items: Option<u32>,
}

pub(super) fn conversion(outline: &Outline<'_>) -> Option<Conversion> {
    let record = crate::record::Record::read(outline.custom(crate::record::SECTION)?.contents).ok()?;
    Some(Conversion {
        to: record.to,
        converter: record.converter,
        allocator: record.allocator,
        allocator_blake2_256: record.allocator_blake2_256,
        arena: record.arena,
        in_place: record.in_place,
        original_blake2_256: record.original_blake2_256,
        adapted: record.adapted,
    })
}

pub(super) fn imports(outline: &Outline<'_>) -> Vec<Import> {
    let import = |import: &super::outline::Import<'_>| Import {
        module: import.module.to_owned(),
        name: import.name.to_owned(),
        kind: import.item.kind(),
        ty: outline.type_text(import.item),
        offset: import.offset,
    };
    outline.imports.iter().map(import).collect()
}

pub(super) fn exports(outline: &Outline<'_>) -> Vec<Export> {
    let export = |export: &super::outline::Export<'_>| Export {
        name: export.name.to_owned(),
        kind: export.kind,
        ty: outline.export_item(export).map_or_else(|| "?".into(), |item: Extern| outline.type_text(item)),
        offset: export.offset,
    };
    outline.exports.iter().map(export).collect()
}
