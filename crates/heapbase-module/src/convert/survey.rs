//! What a conversion has to know of a module: its sections as they lie in the file, and the few items that it changes.

use super::error::{ConvertError, invalid};
use crate::SectionKind;
use std::ops::Range;
use wasmparser::{
    BinaryReaderError, CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType,
    FunctionBody, MemoryType, Operator, Parser, Payload, TypeRef,
};

/// The two functions that a legacy runtime imports its heap with, and their module.
pub(super) const MODULE: &str = "env";
pub(crate) const MALLOC: &str = "ext_allocator_malloc_version_1";
pub(super) const FREE: &str = "ext_allocator_free_version_1";
/// The exported global at which the host's heap begins.
pub(crate) const HEAP_BASE: &str = "__heap_base";

/// What it is called under v1, where nobody needs it: a node that knows no v1 would put its heap there, over the runtime's, and
/// answer wrongly. Without the name, it refuses the module.
pub(crate) const HEAP_BASE_V1: &str = "__heap_base_v1";

/// A section as it lies in the file.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    pub(super) kind: SectionKind,
    /// The contents, without identifier and size; of a custom section, without its name.
    pub(super) range: Range<usize>,
    /// The name of a custom section.
    pub(super) name: Option<&'a str>,
}

/// A module, read as far as a conversion needs.
pub(super) struct Survey<'a> {
    pub(super) wasm: &'a [u8],
    pub(super) sections: Vec<Section<'a>>,
    /// `None` for types that are no functions'.
    pub(super) types: Vec<Option<FuncType>>,
    /// Type index of every function, imported ones first.
    pub(super) functions: Vec<u32>,
    pub(super) imported_functions: u32,
    /// Position among all imports, function index.
    pub(super) malloc: Vec<(u32, u32)>,
    pub(super) free: Vec<(u32, u32)>,
    pub(super) imports: u32,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: u32,
    pub(super) imported_globals: u32,
    /// Index and value of the exported global `__heap_base`.
    pub(super) heap_base: Option<HeapBase>,
    /// The first address behind the data segments.
    pub(super) data_end: u64,
    pub(super) exports: Vec<(&'a str, ExternalKind, u32)>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    /// Functions that stand in tables: table index, place, function.
    pub(super) table_entries: Vec<(u32, u32, u32)>,
    /// Whether a segment lies in a table at a place that is not constant.
    pub(super) writes_tables: bool,
}

/// The global `__heap_base`.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeapBase {
    pub(super) global: u32,
    pub(super) value: u32,
}

impl<'a> Survey<'a> {
    /// Reads a module. It need not be valid, and what it refers to may not exist.
    pub(super) fn read(wasm: &'a [u8]) -> Result<Self, ConvertError> {
        let mut survey = Self {
            wasm,
            sections: Vec::new(),
            types: Vec::new(),
            functions: Vec::new(),
            imported_functions: 0,
            malloc: Vec::new(),
            free: Vec::new(),
            imports: 0,
            memories: Vec::new(),
            globals: 0,
            imported_globals: 0,
            heap_base: None,
            data_end: 0,
            exports: Vec::new(),
            bodies: Vec::new(),
            table_entries: Vec::new(),
            writes_tables: false,
        };
        let mut inits = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(|error| invalid(&error))?;
            survey.section(payload, &mut inits)?;
        }
        survey.find_heap_base(&inits)?;
        Ok(survey)
    }

    fn push(&mut self, kind: SectionKind, range: Range<u64>, name: Option<&'a str>) {
        self.sections.push(Section { kind, range: range.start as usize..range.end as usize, name });
    }

    fn section(&mut self, payload: Payload<'a>, inits: &mut Vec<Init<'a>>) -> Result<(), ConvertError> {
        self.read_section(payload, inits).map_err(|error| match error {
            Failure::Reader(error) => invalid(&error),
            Failure::Refused(error) => error,
        })
    }

    fn read_section(&mut self, payload: Payload<'a>, inits: &mut Vec<Init<'a>>) -> Result<(), Failure> {
        match payload {
            Payload::TypeSection(reader) => {
                self.push(SectionKind::Type, reader.range(), None);
                for group in reader {
                    let group = group?;
                    let is_plain = |ty: &wasmparser::SubType| ty.is_final && ty.supertype_idxs.is_empty();
                    if group.is_explicit_rec_group() || !group.types().all(is_plain) {
                        return Err(Failure::Refused(ConvertError::unsupported(
                            "a type belongs to a group or to another type",
                            SectionKind::Type,
                            "types that look alike could not be told apart; no node takes the GC proposal, build without it",
                        )));
                    }
                    for ty in group.into_types() {
                        self.types.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Some(ty),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(reader) => {
                self.push(SectionKind::Import, reader.range(), None);
                for import in reader.into_imports() {
                    self.import(import?)?;
                }
            }
            Payload::FunctionSection(reader) => {
                self.push(SectionKind::Function, reader.range(), None);
                for ty in reader {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(reader) => self.push(SectionKind::Table, reader.range(), None),
            Payload::MemorySection(reader) => {
                self.push(SectionKind::Memory, reader.range(), None);
                for memory in reader {
                    self.memories.push(memory?);
                }
            }
            Payload::TagSection(reader) => self.push(SectionKind::Tag, reader.range(), None),
            Payload::GlobalSection(reader) => {
                self.push(SectionKind::Global, reader.range(), None);
                for global in reader {
                    let global = global?;
                    inits.push(Init { ty: global.ty, expression: global.init_expr });
                    self.globals += 1;
                }
            }
            Payload::ExportSection(reader) => {
                self.push(SectionKind::Export, reader.range(), None);
                for export in reader {
                    let export = export?;
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::StartSection { range, .. } => self.push(SectionKind::Start, range, None),
            Payload::ElementSection(reader) => {
                self.push(SectionKind::Element, reader.range(), None);
                for element in reader {
                    let element = element?;
                    self.element(&element.kind, element.items)?;
                }
            }
            Payload::DataCountSection { range, .. } => self.push(SectionKind::DataCount, range, None),
            Payload::DataSection(reader) => {
                self.push(SectionKind::Data, reader.range(), None);
                for data in reader {
                    let data = data?;
                    if let DataKind::Active { offset_expr, .. } = data.kind {
                        let Some(start) = constant(&offset_expr) else {
                            return Err(Failure::Refused(ConvertError::Unsupported {
                                what: "a data segment lies at an address that is not constant".to_owned(),
                                section: SectionKind::Data,
                                offset: Some(data.range.start),
                                why: "nothing can be said of where the heap may begin",
                            }));
                        };
                        self.data_end = self.data_end.max(u64::from(start) + data.data.len() as u64);
                    }
                }
            }
            Payload::CodeSectionStart { unchecked_range, .. } => self.push(SectionKind::Code, unchecked_range, None),
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(reader) => {
                self.push(SectionKind::Custom, reader.data_offset()..reader.range().end, Some(reader.name()));
            }
            Payload::Version { encoding: wasmparser::Encoding::Module, .. } | Payload::End(_) => {}
            _ => {
                return Err(Failure::Refused(ConvertError::unsupported(
                    "the file is no core module",
                    SectionKind::Unknown(0),
                    "components and unknown sections cannot be converted",
                )));
            }
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<(), Failure> {
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                let entry = (self.imports, self.imported_functions);
                let (list, expected): (_, &[_]) = match (import.module, import.name) {
                    (MODULE, MALLOC) => (&mut self.malloc, &[wasmparser::ValType::I32]),
                    (MODULE, FREE) => (&mut self.free, &[]),
                    _ => {
                        self.functions.push(ty);
                        self.imported_functions += 1;
                        self.imports += 1;
                        return Ok(());
                    }
                };
                let found = self.types.get(ty as usize).and_then(Option::as_ref);
                let right =
                    found.is_some_and(|ty| ty.params() == [wasmparser::ValType::I32] && ty.results() == expected);
                if !right {
                    return Err(Failure::Refused(ConvertError::WrongType {
                        name: import.name.to_owned(),
                        section: SectionKind::Import,
                        found: found.map_or_else(|| "no function".to_owned(), |ty| format!("`{ty}`")),
                        expected: if expected.is_empty() {
                            "`(func (param i32))`"
                        } else {
                            "`(func (param i32) (result i32))`"
                        },
                    }));
                }
                list.push(entry);
                self.functions.push(ty);
                self.imported_functions += 1;
            }
            _ if import.module == MODULE && [MALLOC, FREE].contains(&import.name) => {
                return Err(Failure::Refused(ConvertError::WrongType {
                    name: import.name.to_owned(),
                    section: SectionKind::Import,
                    found: "no function".to_owned(),
                    expected: "the host's function of that name; rename it in the source",
                }));
            }
            TypeRef::Memory(ty) => self.memories.push(ty),
            TypeRef::Global(_) => {
                self.imported_globals += 1;
                self.globals += 1;
            }
            TypeRef::Table(_) | TypeRef::Tag(_) => {}
        }
        self.imports += 1;
        Ok(())
    }

    fn element(&mut self, kind: &ElementKind<'_>, items: ElementItems<'_>) -> Result<(), BinaryReaderError> {
        let ElementKind::Active { table_index, offset_expr } = kind else { return Ok(()) };
        let Some(start) = constant(offset_expr) else {
            self.writes_tables = true;
            return Ok(());
        };
        let functions: Vec<_> = match items {
            ElementItems::Functions(functions) => functions.into_iter().collect::<Result<_, _>>()?,
            ElementItems::Expressions(_, expressions) => {
                let function = |expression: ConstExpr<'_>| match expression.get_operators_reader().read() {
                    Ok(Operator::RefFunc { function_index }) => function_index,
                    _ => u32::MAX,
                };
                expressions.into_iter().map(|expression| expression.map(function)).collect::<Result<_, _>>()?
            }
        };
        for (place, function) in functions.into_iter().enumerate() {
            let Some(place) = u32::try_from(place).ok().and_then(|place| place.checked_add(start)) else { break };
            self.table_entries.push((table_index.unwrap_or(0), place, function));
        }
        Ok(())
    }

    fn find_heap_base(&mut self, inits: &[Init<'a>]) -> Result<(), ConvertError> {
        let Some(&(_, kind, global)) = self.exports.iter().find(|(name, ..)| *name == HEAP_BASE) else { return Ok(()) };
        let wrong = |found: String| ConvertError::WrongType {
            name: HEAP_BASE.to_owned(),
            section: SectionKind::Export,
            found,
            expected: "a global of type i32 with a constant value, which the linker exports for `--export=__heap_base`",
        };
        if kind != ExternalKind::Global {
            return Err(wrong(format!("a {kind:?}").to_lowercase()));
        }
        let Some(init) = global.checked_sub(self.imported_globals).and_then(|own| inits.get(own as usize)) else {
            return Err(wrong("an imported global".to_owned()));
        };
        if init.ty.content_type != wasmparser::ValType::I32 {
            return Err(wrong(format!("a global of type {}", init.ty.content_type)));
        }
        let Some(value) = self.initial(global, inits) else {
            return Err(wrong("a global whose value is not made of numbers alone".to_owned()));
        };
        self.heap_base = Some(HeapBase { global, value });
        if init.ty.mutable && self.sets_global(global) {
            return Err(ConvertError::unsupported(
                "`__heap_base` is a variable that the code writes to",
                SectionKind::Global,
                "where the host's heap begins could not be told beforehand",
            ));
        }
        Ok(())
    }

    /// The first value of a global of the module's own, which may be that of one before it.
    fn initial(&self, global: u32, inits: &[Init<'a>]) -> Option<u32> {
        let init = inits.get(global.checked_sub(self.imported_globals)? as usize)?;
        let mut operators = init.expression.get_operators_reader();
        match (operators.read().ok()?, operators.read().ok()?) {
            (Operator::GlobalGet { global_index }, Operator::End) if global_index < global => {
                self.initial(global_index, inits)
            }
            _ => constant(&init.expression),
        }
    }

    fn sets_global(&self, global: u32) -> bool {
        let sets = |body: &FunctionBody<'_>| {
            let Ok(operators) = body.get_operators_reader() else { return false };
            operators
                .into_iter()
                .any(|operator| matches!(operator, Ok(Operator::GlobalSet { global_index }) if global_index == global))
        };
        self.bodies.iter().any(sets)
    }

    /// The type of a function.
    pub(super) fn function_type(&self, function: u32) -> Option<&FuncType> {
        self.types.get(*self.functions.get(function as usize)? as usize)?.as_ref()
    }

    /// The body of a function of the module's own.
    pub(super) fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        self.bodies.get(function.checked_sub(self.imported_functions)? as usize)
    }

    /// Whether this function is the host's `malloc`.
    pub(super) fn is_malloc(&self, function: u32) -> bool {
        self.malloc.iter().any(|(_, index)| *index == function)
    }

    /// Whether this function is the host's `free`.
    pub(super) fn is_free(&self, function: u32) -> bool {
        self.free.iter().any(|(_, index)| *index == function)
    }

    /// The contents of a section.
    pub(super) fn contents(&self, section: &Section<'_>) -> &'a [u8] {
        &self.wasm[section.range.clone()]
    }

    /// The first custom section with this name.
    pub(super) fn custom(&self, name: &str) -> Option<&'a [u8]> {
        self.sections.iter().find(|section| section.name == Some(name)).map(|section| self.contents(section))
    }

    /// Whether there is a section of this kind.
    pub(super) fn has(&self, kind: SectionKind) -> bool {
        self.sections.iter().any(|section| section.kind == kind)
    }
}

/// A global of the module's own.
struct Init<'a> {
    ty: wasmparser::GlobalType,
    expression: ConstExpr<'a>,
}

/// Reading failed, or what was read is refused.
enum Failure {
    Reader(BinaryReaderError),
    Refused(ConvertError),
}

impl From<BinaryReaderError> for Failure {
    fn from(error: BinaryReaderError) -> Self {
        Self::Reader(error)
    }
}

/// The value of a constant expression over i32: constants, additions, subtractions, multiplications.
pub(crate) fn constant(expression: &ConstExpr<'_>) -> Option<u32> {
    let mut stack = Vec::new();
    for operator in expression.get_operators_reader() {
        let value = match operator.ok()? {
            Operator::I32Const { value } => value.cast_unsigned(),
            Operator::I32Add => {
                let right: u32 = stack.pop()?;
                u32::wrapping_add(stack.pop()?, right)
            }
            Operator::I32Sub => {
                let right: u32 = stack.pop()?;
                u32::wrapping_sub(stack.pop()?, right)
            }
            Operator::I32Mul => {
                let right: u32 = stack.pop()?;
                u32::wrapping_mul(stack.pop()?, right)
            }
            Operator::End => break,
            _ => return None,
        };
        stack.push(value);
    }
    match stack[..] {
        [value] => Some(value),
        _ => None,
    }
}
