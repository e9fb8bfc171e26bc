//! A valid module taken apart, and put together again.

use super::{MAX_GROWTH, PassError, ROOM};
use crate::SectionKind;
use std::ops::Range;
use wasm_encoder::{Module, RawSection};
use wasmparser::{
    CompositeInnerType, Data, Element, Export, FuncType, FunctionBody, Global, GlobalType, Import, MemoryType, Parser,
    Payload, SubType, Table, TableType, TypeRef,
};

/// A section as it lies in the file.
#[derive(Clone, Debug)]
pub(crate) struct Section<'a> {
    pub(crate) kind: SectionKind,
    /// The contents, without identifier and size; of a custom section, without its name.
    pub(crate) range: Range<usize>,
    /// The name of a custom section.
    pub(crate) name: &'a str,
}

/// A type.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    /// Where it stands.
    pub(crate) offset: u64,
    pub(crate) ty: SubType,
    /// Whether it is a function's and nothing else: on its own, without others above or below it.
    pub(crate) plain: bool,
}

/// A module, read. Whoever reads has validated it, so what refers to something refers to what there is.
pub(crate) struct Parts<'a> {
    pub(crate) wasm: &'a [u8],
    pub(crate) sections: Vec<Section<'a>>,
    pub(crate) types: Vec<Type>,
    pub(crate) imports: Vec<(u64, Import<'a>)>,
    /// Type index of every function, imported ones first.
    pub(crate) functions: Vec<u32>,
    pub(crate) imported_functions: u32,
    /// Types of all tables, imported ones first, and the tables of the module's own.
    pub(crate) table_types: Vec<TableType>,
    pub(crate) tables: Vec<(u64, Table<'a>)>,
    pub(crate) memories: Vec<(u64, MemoryType)>,
    pub(crate) imported_memories: u32,
    /// Types of all globals, imported ones first, and the globals of the module's own.
    pub(crate) global_types: Vec<GlobalType>,
    pub(crate) globals: Vec<(u64, Global<'a>)>,
    pub(crate) exports: Vec<(u64, Export<'a>)>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<Element<'a>>,
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    pub(crate) data: Vec<Data<'a>>,
}

impl<'a> Parts<'a> {
    /// Takes a valid module apart.
    pub(crate) fn read(wasm: &'a [u8]) -> Result<Self, PassError> {
        let mut parts = Self {
            wasm,
            sections: Vec::new(),
            types: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            imported_functions: 0,
            table_types: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            imported_memories: 0,
            global_types: Vec::new(),
            globals: Vec::new(),
            exports: Vec::new(),
            start: None,
            elements: Vec::new(),
            bodies: Vec::new(),
            data: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(wasm) {
            parts.section(payload?)?;
        }
        Ok(parts)
    }

    fn push(&mut self, kind: SectionKind, range: Range<u64>) {
        self.sections.push(Section { kind, range: range.start as usize..range.end as usize, name: "" });
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), PassError> {
        match payload {
            Payload::TypeSection(reader) => {
                self.push(SectionKind::Type, reader.range());
                for group in reader {
                    let group = group?;
                    let alone = !group.is_explicit_rec_group();
                    for (offset, ty) in group.into_types_and_offsets() {
                        let plain = alone
                            && ty.is_final
                            && ty.supertype_idxs.is_empty()
                            && !ty.composite_type.shared
                            && matches!(ty.composite_type.inner, CompositeInnerType::Func(_));
                        self.types.push(Type { offset, ty, plain });
                    }
                }
            }
            Payload::ImportSection(reader) => {
                self.push(SectionKind::Import, reader.range());
                for import in reader.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(offset, import);
                }
            }
            Payload::FunctionSection(reader) => {
                self.push(SectionKind::Function, reader.range());
                for ty in reader {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(reader) => {
                self.push(SectionKind::Table, reader.range());
                for table in reader.into_iter_with_offsets() {
                    let (offset, table) = table?;
                    self.table_types.push(table.ty);
                    self.tables.push((offset, table));
                }
            }
            Payload::MemorySection(reader) => {
                self.push(SectionKind::Memory, reader.range());
                for memory in reader.into_iter_with_offsets() {
                    self.memories.push(memory?);
                }
            }
            Payload::TagSection(reader) => self.push(SectionKind::Tag, reader.range()),
            Payload::GlobalSection(reader) => {
                self.push(SectionKind::Global, reader.range());
                for global in reader.into_iter_with_offsets() {
                    let (offset, global) = global?;
                    self.global_types.push(global.ty);
                    self.globals.push((offset, global));
                }
            }
            Payload::ExportSection(reader) => {
                self.push(SectionKind::Export, reader.range());
                for export in reader.into_iter_with_offsets() {
                    self.exports.push(export?);
                }
            }
            Payload::StartSection { func, range } => {
                self.push(SectionKind::Start, range);
                self.start = Some(func);
            }
            Payload::ElementSection(reader) => {
                self.push(SectionKind::Element, reader.range());
                for element in reader {
                    self.elements.push(element?);
                }
            }
            Payload::DataCountSection { range, .. } => self.push(SectionKind::DataCount, range),
            Payload::DataSection(reader) => {
                self.push(SectionKind::Data, reader.range());
                for data in reader {
                    self.data.push(data?);
                }
            }
            Payload::CodeSectionStart { unchecked_range, .. } => self.push(SectionKind::Code, unchecked_range),
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(reader) => {
                let range = reader.data_offset() as usize..reader.range().end as usize;
                self.sections.push(Section { kind: SectionKind::Custom, range, name: reader.name() });
            }
            // A component, which the validator of modules has refused.
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, offset: u64, import: Import<'a>) {
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.functions.push(ty);
                self.imported_functions += 1;
            }
            TypeRef::Table(ty) => self.table_types.push(ty),
            TypeRef::Memory(ty) => {
                self.memories.push((offset, ty));
                self.imported_memories += 1;
            }
            TypeRef::Global(ty) => self.global_types.push(ty),
            TypeRef::Tag(_) => {}
        }
        self.imports.push((offset, import));
    }

    /// The contents of a section.
    pub(crate) fn contents(&self, section: &Section<'_>) -> &'a [u8] {
        self.wasm.get(section.range.clone()).unwrap_or_default()
    }

    /// A function type by its index.
    pub(crate) fn ty(&self, index: u32) -> Option<&FuncType> {
        let ty = self.types.get(index as usize)?;
        match &ty.ty.composite_type.inner {
            CompositeInnerType::Func(function) => Some(function),
            _ => None,
        }
    }

    /// The type of a function.
    pub(crate) fn function_type(&self, function: u32) -> Option<&FuncType> {
        self.ty(*self.functions.get(function as usize)?)
    }

    /// How many globals are imported.
    pub(crate) fn imported_globals(&self) -> u32 {
        (self.global_types.len() - self.globals.len()) as u32
    }

    /// How many tables are imported.
    pub(crate) fn imported_tables(&self) -> u32 {
        (self.table_types.len() - self.tables.len()) as u32
    }
}

/// Writes a module section by section, in the order that sections have.
pub(crate) struct Writer {
    module: Module,
    limit: usize,
    before: usize,
}

impl Writer {
    /// For what becomes of `wasm`.
    pub(crate) fn new(wasm: &[u8]) -> Self {
        Self { module: Module::new(), limit: limit(wasm), before: wasm.len() }
    }

    /// Adds a section.
    pub(crate) fn section(&mut self, section: &impl wasm_encoder::Section) {
        self.module.section(section);
    }

    /// Adds a section whose contents are ready.
    pub(crate) fn raw(&mut self, kind: SectionKind, data: &[u8]) {
        let id = match kind {
            SectionKind::Custom => 0,
            SectionKind::Type => 1,
            SectionKind::Import => 2,
            SectionKind::Function => 3,
            SectionKind::Table => 4,
            SectionKind::Memory => 5,
            SectionKind::Global => 6,
            SectionKind::Export => 7,
            SectionKind::Start => 8,
            SectionKind::Element => 9,
            SectionKind::Code => 10,
            SectionKind::Data => 11,
            SectionKind::DataCount => 12,
            SectionKind::Tag => 13,
            SectionKind::Unknown(id) => id,
        };
        self.module.section(&RawSection { id, data });
    }

    /// Adds a custom section.
    pub(crate) fn custom(&mut self, name: &str, data: &[u8]) {
        self.module.section(&wasm_encoder::CustomSection { name: name.into(), data: data.into() });
    }

    /// The module.
    pub(crate) fn finish(self) -> Result<Vec<u8>, PassError> {
        let wasm = self.module.finish();
        if wasm.len() > self.limit {
            return Err(too_large(wasm.len(), self.limit, self.before));
        }
        Ok(wasm)
    }
}

/// How large a module may become.
pub(crate) fn limit(wasm: &[u8]) -> usize {
    wasm.len().saturating_mul(MAX_GROWTH).saturating_add(ROOM)
}

/// A module became larger than that.
pub(crate) fn too_large(size: usize, limit: usize, before: usize) -> PassError {
    PassError::TooLarge {
        what: format!("the result of a module of {before} bytes"),
        size: size as u64,
        unit: "bytes",
        limit: limit as u64,
        offset: None,
        remedy: "build it without what has to be spelt out",
    }
}

/// Where a section of a kind stands among the others; custom sections stand anywhere.
pub(crate) fn rank(kind: SectionKind) -> u8 {
    match kind {
        SectionKind::Type => 1,
        SectionKind::Import => 2,
        SectionKind::Function => 3,
        SectionKind::Table => 4,
        SectionKind::Memory => 5,
        SectionKind::Tag => 6,
        SectionKind::Global => 7,
        SectionKind::Export => 8,
        SectionKind::Start => 9,
        SectionKind::Element => 10,
        SectionKind::DataCount => 11,
        SectionKind::Code => 12,
        SectionKind::Data => 13,
        SectionKind::Custom | SectionKind::Unknown(_) => 0,
    }
}
