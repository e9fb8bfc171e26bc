//! What a module declares, collected in one pass over its bytes. The pass reads every item of every section and every
//! instruction, so a module that breaks the binary format anywhere is told here, with its place.

mod items;
mod reader;

use super::features::Tally;
use super::report::{ExternKind, Section};
use super::types;
use crate::{Error, SectionKind};
use std::sync::Arc;
use wasmparser::{FuncType, GlobalType, MemoryType, TableType};

/// What a module declares. Index spaces begin with the imports, as the binary format wants it.
#[derive(Default)]
pub(super) struct Outline<'a> {
    pub(super) sections: Vec<Section>,
    pub(super) customs: Vec<Custom<'a>>,
    pub(super) types: Vec<Type>,
    pub(super) imports: Vec<Import<'a>>,
    pub(super) exports: Vec<Export<'a>>,
    /// Type indices.
    pub(super) functions: Vec<u32>,
    pub(super) tables: Vec<TableType>,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: Vec<Global>,
    /// Type indices.
    pub(super) tags: Vec<u32>,
    pub(super) imported_globals: u32,
    pub(super) start: Option<(u32, u64)>,
    /// The first address behind the active data segments whose address is constant.
    data_end: Option<u64>,
    /// Whether some segment's address is not constant.
    has_computed_data: bool,
    pub(super) features: Tally,
}

/// One entry of the type section.
pub(super) struct Type {
    /// `None` for the types of other proposals.
    pub(super) function: Option<FuncType>,
    pub(super) text: Arc<str>,
}

/// A custom section.
pub(super) struct Custom<'a> {
    pub(super) name: &'a str,
    pub(super) contents: &'a [u8],
    /// Byte offset of the contents.
    pub(super) offset: u64,
}

/// An import.
pub(super) struct Import<'a> {
    pub(super) module: &'a str,
    pub(super) name: &'a str,
    pub(super) item: Extern,
    pub(super) offset: u64,
}

/// An export.
pub(super) struct Export<'a> {
    pub(super) name: &'a str,
    pub(super) kind: ExternKind,
    pub(super) index: u32,
    pub(super) offset: u64,
}

/// A global.
#[derive(Clone, Copy)]
pub(super) struct Global {
    pub(super) ty: GlobalType,
    /// The initial value, where it is one `i32.const`.
    pub(super) value: Option<u32>,
}

/// The type of something imported or exported. Functions and tags by type index.
#[derive(Clone, Copy)]
pub(super) enum Extern {
    Function(u32),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag(u32),
}

impl Extern {
    pub(super) fn kind(self) -> ExternKind {
        match self {
            Self::Function(_) => ExternKind::Function,
            Self::Table(_) => ExternKind::Table,
            Self::Memory(_) => ExternKind::Memory,
            Self::Global(_) => ExternKind::Global,
            Self::Tag(_) => ExternKind::Tag,
        }
    }
}

impl<'a> Outline<'a> {
    /// Reads a module, which has to begin with [`WASM_MAGIC`](crate::blob::WASM_MAGIC).
    pub(super) fn read(wasm: &'a [u8]) -> Result<Self, Error> {
        reader::read(wasm)
    }

    /// The export named `name`.
    pub(super) fn export(&self, name: &str) -> Option<&Export<'a>> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// What an export stands for; `None` where its index points at nothing.
    pub(super) fn export_item(&self, export: &Export<'_>) -> Option<Extern> {
        let index = export.index as usize;
        Some(match export.kind {
            ExternKind::Function => Extern::Function(*self.functions.get(index)?),
            ExternKind::Table => Extern::Table(*self.tables.get(index)?),
            ExternKind::Memory => Extern::Memory(*self.memories.get(index)?),
            ExternKind::Global => Extern::Global(self.globals.get(index)?.ty),
            ExternKind::Tag => Extern::Tag(*self.tags.get(index)?),
        })
    }

    /// The function type with this index, if it is one.
    pub(super) fn function_type(&self, index: u32) -> Option<&FuncType> {
        self.types.get(index as usize)?.function.as_ref()
    }

    /// A type as text.
    pub(super) fn type_text(&self, item: Extern) -> Arc<str> {
        match item {
            Extern::Function(index) | Extern::Tag(index) => {
                self.types.get(index as usize).map_or_else(|| "?".into(), |ty| ty.text.clone())
            }
            Extern::Table(ty) => types::table_text(&ty),
            Extern::Memory(ty) => types::memory_text(&ty),
            Extern::Global(ty) => types::global_text(&ty),
        }
    }

    /// The global that is exported as `__heap_base`.
    pub(super) fn heap_base_global(&self) -> Option<&Global> {
        let export = self.export("__heap_base")?;
        (export.kind == ExternKind::Global).then(|| self.globals.get(export.index as usize))?
    }

    /// The value of `__heap_base`, where it is a constant.
    pub(super) fn heap_base(&self) -> Option<u32> {
        self.heap_base_global()?.value
    }

    /// The first address behind all active data segments; `None` without any, or where an address is not constant.
    pub(super) fn data_end(&self) -> Option<u64> {
        if self.has_computed_data { None } else { self.data_end }
    }

    /// The first custom section named `name`: the one that nodes read.
    pub(super) fn custom(&self, name: &str) -> Option<&Custom<'a>> {
        self.customs.iter().find(|custom| custom.name == name)
    }

    /// Where the first section of a kind begins.
    pub(super) fn section_offset(&self, kind: SectionKind) -> Option<u64> {
        self.sections.iter().find(|section| section.kind == kind).map(|section| section.offset)
    }

    /// The section that an offset lies in.
    pub(super) fn section_at(&self, offset: u64) -> Option<SectionKind> {
        let behind = self.sections.partition_point(|section| section.offset <= offset);
        let section = self.sections.get(behind.checked_sub(1)?)?;
        (offset <= section.offset + section.size).then_some(section.kind)
    }
}
