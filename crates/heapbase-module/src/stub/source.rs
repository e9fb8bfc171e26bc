//! What stubbing has to know of a module: its sections as they lie, its imports, and the constant expressions that read them.

use super::{StubError, constant, invalid};
use crate::SectionKind;
use std::ops::Range;
use wasm_encoder::{
    Encode, HeapType, Instruction,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, FuncType, FunctionBody, GlobalType, Import,
    MemoryType, Parser, Payload, TableInit, TableType, TagType, TypeRef, ValType,
};

/// A section as it lies in the file.
pub(super) struct Section<'a> {
    pub(super) kind: SectionKind,
    /// With its identifier and size.
    pub(super) whole: Range<usize>,
    /// Behind identifier and size; of a custom section, behind its name.
    pub(super) contents: Range<usize>,
    /// The name of a custom section.
    pub(super) name: Option<&'a str>,
}

/// An imported function.
pub(super) struct Function {
    /// Module and name.
    pub(super) name: String,
    /// Type index.
    pub(super) ty: u32,
    /// Byte offset of the import.
    pub(super) offset: u64,
}

/// Something imported that has a size, and the least that the module's segments ask of it.
pub(super) struct Sized<T> {
    pub(super) ty: T,
    pub(super) name: String,
    /// Bytes of a memory, elements of a table.
    pub(super) needed: u64,
}

/// A module, read as far as stubbing needs.
#[derive(Default)]
pub(super) struct Source<'a> {
    pub(super) wasm: &'a [u8],
    pub(super) sections: Vec<Section<'a>>,
    /// `None` for types that are no functions'.
    pub(super) types: Vec<Option<FuncType>>,
    pub(super) imports: u32,
    pub(super) functions: Vec<Function>,
    pub(super) tables: Vec<Sized<TableType>>,
    pub(super) memories: Vec<Sized<MemoryType>>,
    pub(super) tags: Vec<TagType>,
    /// Types of imported globals, and the instruction that gives the zero of each.
    pub(super) globals: Vec<(GlobalType, Vec<u8>)>,
    /// Instructions to replace, in the file's order.
    pub(super) edits: Vec<(Range<usize>, Vec<u8>)>,
    pub(super) exports: Vec<&'a str>,
    pub(super) start: Option<u32>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
}

impl<'a> Source<'a> {
    /// Reads a valid module.
    pub(super) fn read(wasm: &'a [u8]) -> Result<Self, StubError> {
        let mut source = Self { wasm, ..Self::default() };
        let mut end = crate::blob::WASM_MAGIC.len();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(|error| invalid(&error))?;
            if let Some((id, range)) = payload.as_section() {
                let range = range.start as usize..range.end as usize;
                let (start, name) = match &payload {
                    Payload::CustomSection(custom) => (custom.data_offset() as usize, Some(custom.name())),
                    _ => (range.start, None),
                };
                source.sections.push(Section {
                    kind: SectionKind::from_id(id),
                    whole: end..range.end,
                    contents: start..range.end,
                    name,
                });
                end = range.end;
            }
            source.section(payload)?;
        }
        Ok(source)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), StubError> {
        let failed = |error: wasmparser::BinaryReaderError| invalid(&error);
        match payload {
            Payload::TypeSection(reader) => {
                for group in reader {
                    for ty in group.map_err(failed)?.into_types() {
                        self.types.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Some(ty),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports_with_offsets() {
                    let (offset, import) = import.map_err(failed)?;
                    self.import(import, offset)?;
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    if let TableInit::Expr(expression) = table.map_err(failed)?.init {
                        self.expression(&expression)?;
                    }
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    self.expression(&global.map_err(failed)?.init_expr)?;
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    self.exports.push(export.map_err(failed)?.name);
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(reader) => {
                for element in reader {
                    let element = element.map_err(failed)?;
                    self.elements(&element.kind, element.items)?;
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data.map_err(failed)?;
                    let DataKind::Active { memory_index, offset_expr } = data.kind else { continue };
                    self.expression(&offset_expr)?;
                    let at = constant::value(&offset_expr, self.globals.len() as u32);
                    let end = at.and_then(|at| at.checked_add(data.data.len() as u64));
                    if let (Some(memory), Some(end)) = (self.memories.get_mut(memory_index as usize), end) {
                        memory.needed = memory.needed.max(end);
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            _ => {}
        }
        Ok(())
    }

    fn elements(&mut self, kind: &ElementKind<'_>, items: ElementItems<'_>) -> Result<(), StubError> {
        if let ElementKind::Active { table_index, offset_expr } = kind {
            self.expression(offset_expr)?;
            let count = match &items {
                ElementItems::Functions(functions) => functions.count(),
                ElementItems::Expressions(_, expressions) => expressions.count(),
            };
            let at = constant::value(offset_expr, self.globals.len() as u32);
            let end = at.and_then(|at| at.checked_add(count.into()));
            if let (Some(table), Some(end)) = (self.tables.get_mut(table_index.unwrap_or(0) as usize), end) {
                table.needed = table.needed.max(end);
            }
        }
        if let ElementItems::Expressions(_, expressions) = items {
            for expression in expressions {
                self.expression(&expression.map_err(|error| invalid(&error))?)?;
            }
        }
        Ok(())
    }

    /// Notes what of a constant expression has to change.
    fn expression(&mut self, expression: &ConstExpr<'_>) -> Result<(), StubError> {
        let reads = constant::reads_of_imports(expression, self.globals.len() as u32);
        for (range, global) in reads.map_err(|error| invalid(&error))? {
            self.edits.push((range, self.globals[global as usize].1.clone()));
        }
        Ok(())
    }

    fn import(&mut self, import: Import<'_>, offset: u64) -> Result<(), StubError> {
        self.imports += 1;
        let name = format!("{}.{}", import.module, import.name);
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => self.functions.push(Function { name, ty, offset }),
            TypeRef::Table(ty) if !ty.element_type.is_nullable() => {
                let ty = ty.element_type.to_string();
                return Err(StubError::NoZero { what: "an element of the table", name, ty, offset, function: false });
            }
            TypeRef::Table(ty) => self.tables.push(Sized { ty, name, needed: 0 }),
            TypeRef::Memory(ty) => self.memories.push(Sized { ty, name, needed: 0 }),
            TypeRef::Tag(ty) => self.tags.push(ty),
            TypeRef::Global(ty) => match zero(ty.content_type) {
                Some(zero) => self.globals.push((ty, zero)),
                None => {
                    let ty = ty.content_type.to_string();
                    return Err(StubError::NoZero { what: "the global", name, ty, offset, function: false });
                }
            },
        }
        Ok(())
    }
}

/// The instruction that gives the zero or null of a type; `None` if it has neither.
pub(super) fn zero(ty: ValType) -> Option<Vec<u8>> {
    let instruction = match ty {
        ValType::I32 => Instruction::I32Const(0),
        ValType::I64 => Instruction::I64Const(0),
        ValType::F32 => Instruction::F32Const(0.0_f32.into()),
        ValType::F64 => Instruction::F64Const(0.0_f64.into()),
        ValType::V128 => Instruction::V128Const(0),
        ValType::Ref(ty) if ty.is_nullable() => {
            let heap: HeapType = RoundtripReencoder.heap_type(ty.heap_type()).ok()?;
            Instruction::RefNull(heap)
        }
        ValType::Ref(_) => return None,
    };
    let mut bytes = Vec::new();
    instruction.encode(&mut bytes);
    Some(bytes)
}
