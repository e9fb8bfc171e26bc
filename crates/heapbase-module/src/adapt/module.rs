//! A module taken apart, so that passes can change it and put it together again.
//!
//! Functions keep a number for the time of the adaptation: first those of the file in its order, then the ones that are
//! added. [`write`](super::write) gives them their place: imports in front. Bodies are slices of the file until they are
//! written, and instructions that need not change are copied as they lie.

use super::error::{AdaptError, invalid};
use crate::{SectionKind, convert::constant};
use std::{borrow::Cow, collections::BTreeMap, ops::Range};
use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType, GlobalType, MemoryType,
    Operator, Parser, Payload, TableType, TypeRef,
};

/// Bytes of a WebAssembly page.
pub(super) const WASM_PAGE: u64 = 64 * 1024;
/// Pages of a 32-bit memory.
pub(super) const CEILING: u64 = 65_536;
/// The module that hosts provide.
pub(super) const ENV: &str = "env";

/// Where a function comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin<'a> {
    /// Somebody else's; module and name.
    Import(Cow<'a, str>, Cow<'a, str>),
    /// The file's own: its body, in the file.
    Own(Range<usize>),
    /// Added: its body. Calls in it name functions by their number here.
    Made(Vec<u8>),
    /// Gone: nothing refers to it any more.
    Gone,
}

/// A function.
#[derive(Clone, Debug)]
pub(super) struct Function<'a> {
    /// Type index.
    pub(super) ty: u32,
    pub(super) origin: Origin<'a>,
    /// Its name in the section `name`.
    pub(super) name: Option<Cow<'a, str>>,
    /// Byte offset of the import, or 0.
    pub(super) offset: u64,
}

/// A global.
#[derive(Clone, Debug)]
pub(super) struct Global {
    pub(super) ty: GlobalType,
    /// The instruction that gives its first value, without `end`.
    pub(super) init: Vec<u8>,
}

/// An export.
#[derive(Clone, Debug)]
pub(super) struct Export<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) kind: ExternalKind,
    /// Index of a global, table or memory; number of a function.
    pub(super) index: u32,
}

/// A data segment.
#[derive(Clone, Debug)]
pub(super) struct Data<'a> {
    /// Its address; none for one that code copies from.
    pub(super) start: Option<u32>,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// An element segment.
#[derive(Clone, Debug)]
pub(super) struct Elements {
    /// Its place in the table; none for one that is copied from or only declares.
    pub(super) start: Option<u32>,
    pub(super) declared: bool,
    pub(super) functions: Vec<u32>,
}

/// A custom section.
#[derive(Clone, Debug)]
pub(super) struct Custom<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) data: Cow<'a, [u8]>,
}

/// What takes the place of instructions in the module's own code.
#[derive(Clone, Debug, Default)]
pub(super) struct Substitutes {
    /// Functions whose calls lead to others: from, to. Also in tables and exports.
    pub(super) functions: BTreeMap<u32, u32>,
    /// The function that answers `memory.grow`.
    pub(super) memory_grow: Option<u32>,
    /// The instructions that answer `memory.size`.
    pub(super) memory_size: Option<Vec<u8>>,
    /// The function that is called before every `unreachable`.
    pub(super) before_unreachable: Option<u32>,
    /// Whether every `select` comes behind a constant that is dropped. wasmi 2.0.0 makes one instruction of a `select` and a
    /// comparison with zero, which takes a register for the compared local variable and chooses by what was in it before;
    /// it does not do so behind a `drop`. The comparison may end a `loop` or be turned round by another one, so what comes
    /// before the `select` says nothing. See `docs/wasmi-select.md`.
    pub(super) plain_selects: bool,
}

/// A module.
#[derive(Clone, Debug, Default)]
pub(super) struct Module<'a> {
    pub(super) wasm: &'a [u8],
    pub(super) types: Vec<FuncType>,
    pub(super) functions: Vec<Function<'a>>,
    pub(super) table: Option<TableType>,
    pub(super) memory: Option<MemoryType>,
    /// Module and name of the memory's import.
    pub(super) memory_import: Option<(&'a str, &'a str)>,
    pub(super) globals: Vec<Global>,
    pub(super) exports: Vec<Export<'a>>,
    pub(super) start: Option<u32>,
    pub(super) elements: Vec<Elements>,
    pub(super) data: Vec<Data<'a>>,
    /// Whether there is a section that counts the data segments: code copies from them.
    pub(super) counts_data: bool,
    pub(super) customs: Vec<Custom<'a>>,
    pub(super) substitutes: Substitutes,
}

impl<'a> Module<'a> {
    /// Takes a valid module apart, which uses nothing but what [`check`](super::check) lets through.
    pub(super) fn read(wasm: &'a [u8]) -> Result<Self, AdaptError> {
        let mut module = Self { wasm, ..Self::default() };
        let mut declared = Vec::new();
        let mut bodies = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(|error| invalid(&error))? {
                Payload::FunctionSection(reader) => {
                    for ty in reader {
                        declared.push(ty.map_err(|error| invalid(&error))?);
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let range = body.range();
                    module.functions.push(Function {
                        ty: declared.get(bodies).copied().unwrap_or_default(),
                        origin: Origin::Own(range.start as usize..range.end as usize),
                        name: None,
                        offset: 0,
                    });
                    bodies += 1;
                }
                payload => module.section(payload)?,
            }
        }
        module.read_names();
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), AdaptError> {
        self.read_section(payload).map_err(|error| match error {
            Failure::Reader(error) => invalid(&error),
            Failure::Refused(error) => error,
        })
    }

    fn read_section(&mut self, payload: Payload<'a>) -> Result<(), Failure> {
        match payload {
            Payload::TypeSection(reader) => {
                for group in reader {
                    for ty in group?.into_types() {
                        let CompositeInnerType::Func(ty) = ty.composite_type.inner else { continue };
                        self.types.push(ty);
                    }
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(&import, offset)?;
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    self.table = Some(table?.ty);
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    self.memory = Some(memory?);
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    let global = global?;
                    self.globals.push(Global { ty: global.ty, init: first_value(&global.init_expr)? });
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    self.exports.push(Export { name: export.name.into(), kind: export.kind, index: export.index });
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(reader) => {
                for element in reader {
                    let element = element?;
                    let start = match &element.kind {
                        ElementKind::Active { offset_expr, .. } => Some(constant(offset_expr).ok_or_else(|| {
                            moving("an element segment's place", SectionKind::Element, element.range.start)
                        })?),
                        ElementKind::Passive | ElementKind::Declared => None,
                    };
                    let declared = matches!(element.kind, ElementKind::Declared);
                    let functions = match element.items {
                        ElementItems::Functions(functions) => functions.into_iter().collect::<Result<_, _>>()?,
                        ElementItems::Expressions(_, expressions) => {
                            let mut functions = Vec::new();
                            for expression in expressions {
                                match expression?.get_operators_reader().read()? {
                                    Operator::RefFunc { function_index } => functions.push(function_index),
                                    _ => {
                                        return Err(Failure::Refused(AdaptError::unsupported(
                                            "an element segment holds something else than functions",
                                            SectionKind::Element,
                                            element.range.start,
                                            "only tables of functions exist in WebAssembly 1.0",
                                        )));
                                    }
                                }
                            }
                            functions
                        }
                    };
                    let end = start.map_or(0, |start| u64::from(start) + functions.len() as u64);
                    if end > self.table.map_or(0, |table| table.initial) {
                        return Err(Failure::Refused(AdaptError::unsupported(
                            "an element segment reaches beyond the table",
                            SectionKind::Element,
                            element.range.start,
                            "no host can instantiate that; link the module anew",
                        )));
                    }
                    self.elements.push(Elements { start, declared, functions });
                }
            }
            Payload::DataCountSection { .. } => self.counts_data = true,
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data?;
                    let start =
                        match &data.kind {
                            DataKind::Active { offset_expr, .. } => Some(constant(offset_expr).ok_or_else(|| {
                                moving("a data segment's address", SectionKind::Data, data.range.start)
                            })?),
                            DataKind::Passive => None,
                        };
                    let end = start.map_or(0, |start| u64::from(start) + data.data.len() as u64);
                    if end > self.most_memory() {
                        return Err(Failure::Refused(AdaptError::unsupported(
                            "a data segment reaches beyond the memory",
                            SectionKind::Data,
                            data.range.start,
                            "no host can instantiate that; link the module anew",
                        )));
                    }
                    self.data.push(Data { start, bytes: data.data.into() });
                }
            }
            Payload::CustomSection(custom) => {
                self.customs.push(Custom { name: custom.name().into(), data: custom.data().into() });
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: &wasmparser::Import<'a>, offset: u64) -> Result<(), Failure> {
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => self.functions.push(Function {
                ty,
                origin: Origin::Import(import.module.into(), import.name.into()),
                name: None,
                offset,
            }),
            TypeRef::Memory(ty) => {
                self.memory = Some(ty);
                self.memory_import = Some((import.module, import.name));
            }
            TypeRef::Table(_) | TypeRef::Global(_) | TypeRef::Tag(_) => {
                let kind = match import.ty {
                    TypeRef::Table(_) => "table",
                    TypeRef::Global(_) => "global",
                    _ => "exception tag",
                };
                return Err(Failure::Refused(AdaptError::ForeignImport {
                    kind,
                    name: format!("{}.{}", import.module.escape_debug(), import.name.escape_debug()),
                    offset,
                    advice: "nodes provide functions and the memory `env.memory`, nothing else; link the module so that it \
                             has its own",
                }));
            }
        }
        Ok(())
    }

    /// Functions' names, where the section `name` can be read. It is written anew from them.
    fn read_names(&mut self) {
        let Some(custom) = self.customs.iter().find(|custom| custom.name == "name") else { return };
        let Cow::Borrowed(data) = custom.data else { return };
        let reader = wasmparser::NameSectionReader::new(wasmparser::BinaryReader::new(data, 0));
        for subsection in reader.into_iter().map_while(Result::ok) {
            let wasmparser::Name::Function(names) = subsection else { continue };
            for naming in names.into_iter().map_while(Result::ok) {
                if let Some(function) = self.functions.get_mut(naming.index as usize) {
                    function.name = Some(naming.name.into());
                }
            }
        }
    }

    /// The index of a function type, which is added if it is not there.
    pub(super) fn type_index(&mut self, ty: &FuncType) -> u32 {
        let place = self.types.iter().position(|own| own == ty).unwrap_or_else(|| {
            self.types.push(ty.clone());
            self.types.len() - 1
        });
        place as u32
    }

    /// The type of a function.
    pub(super) fn function_type(&self, function: u32) -> Option<&FuncType> {
        self.types.get(self.functions.get(function as usize)?.ty as usize)
    }

    /// Adds a function; its number.
    pub(super) fn add(&mut self, name: impl Into<Cow<'a, str>>, ty: &FuncType, origin: Origin<'a>) -> u32 {
        let ty = self.type_index(ty);
        self.functions.push(Function { ty, origin, name: Some(name.into()), offset: 0 });
        self.functions.len() as u32 - 1
    }

    /// Adds an i32 global; its index.
    pub(super) fn add_global(&mut self, value: i32, mutable: bool) -> u32 {
        let init = crate::splice::instructions(&[wasm_encoder::Instruction::I32Const(value)]);
        let ty = GlobalType { content_type: wasmparser::ValType::I32, mutable, shared: false };
        self.globals.push(Global { ty, init });
        self.globals.len() as u32 - 1
    }

    /// The imported functions: number, module, name.
    pub(super) fn imports(&self) -> impl Iterator<Item = (u32, &str, &str)> {
        self.functions.iter().enumerate().filter_map(|(number, function)| match &function.origin {
            Origin::Import(module, name) => Some((number as u32, &**module, &**name)),
            _ => None,
        })
    }

    /// The number of the imported host function with this name, which is added if it is not there.
    pub(super) fn host_function(&mut self, name: &str, ty: &FuncType) -> u32 {
        let found = self.imports().find(|(number, module, field)| {
            *module == ENV && *field == name && self.function_type(*number) == Some(ty)
        });
        match found {
            Some((number, ..)) => number,
            None => self.add(name.to_owned(), ty, Origin::Import(ENV.into(), name.to_owned().into())),
        }
    }

    /// The export with this name.
    pub(super) fn export(&self, name: &str) -> Option<&Export<'a>> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// The number of the exported function with this name.
    pub(super) fn exported_function(&self, name: &str) -> Option<u32> {
        let export = self.export(name)?;
        matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact).then_some(export.index)
    }

    /// The value of the exported global with this name, where it is an i32 that never changes.
    pub(super) fn exported_constant(&self, name: &str) -> Option<u32> {
        let export = self.export(name).filter(|export| export.kind == ExternalKind::Global)?;
        let global = self.globals.get(export.index as usize)?;
        if global.ty.mutable || global.ty.content_type != wasmparser::ValType::I32 {
            return None;
        }
        // Constants were folded when the module was read.
        match wasmparser::ConstExpr::new(wasmparser::BinaryReader::new(&global.init, 0)).get_operators_reader().read() {
            Ok(Operator::I32Const { value }) => Some(value.cast_unsigned()),
            _ => None,
        }
    }

    /// Whether the module's own code has an instruction for which `what` holds.
    pub(super) fn uses(&self, mut what: impl FnMut(&Operator<'_>) -> bool) -> Result<bool, AdaptError> {
        for function in &self.functions {
            let Origin::Own(range) = &function.origin else { continue };
            for operator in self.body(range).get_operators_reader().map_err(|error| invalid(&error))? {
                if what(&operator.map_err(|error| invalid(&error))?) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The body of a function of the module's own.
    pub(super) fn body(&self, range: &Range<usize>) -> wasmparser::FunctionBody<'a> {
        let reader = wasmparser::BinaryReader::new(&self.wasm[range.clone()], range.start as u64);
        wasmparser::FunctionBody::new(reader)
    }

    /// Bytes of the memory in which data can begin to lie: what the module has, or as much as it lets a host bring.
    fn most_memory(&self) -> u64 {
        let pages = match (self.memory, self.memory_import) {
            (None, _) => 0,
            (Some(memory), None) => memory.initial,
            (Some(memory), Some(_)) => memory.maximum.unwrap_or(CEILING),
        };
        pages * WASM_PAGE
    }

    /// The first address behind the data segments.
    pub(super) fn data_end(&self) -> u64 {
        let ends = self.data.iter().filter_map(|data| Some(u64::from(data.start?) + data.bytes.len() as u64));
        ends.max().unwrap_or_default()
    }
}

/// The one instruction of a global's initialisation.
fn first_value(expression: &ConstExpr<'_>) -> Result<Vec<u8>, Failure> {
    if let Some(value) = constant(expression) {
        return Ok(crate::splice::instructions(&[wasm_encoder::Instruction::I32Const(value.cast_signed())]));
    }
    let mut reader = expression.get_binary_reader();
    let bytes = reader.read_bytes(reader.bytes_remaining())?;
    Ok(bytes[..bytes.len().saturating_sub(1)].to_vec())
}

fn moving(what: &str, section: SectionKind, offset: u64) -> Failure {
    Failure::Refused(AdaptError::unsupported(
        format!("{what} is not constant"),
        section,
        offset,
        "position-independent modules are for dynamic linkers; link it statically",
    ))
}

/// Reading failed, or what was read is refused.
enum Failure {
    Reader(wasmparser::BinaryReaderError),
    Refused(AdaptError),
}

impl From<wasmparser::BinaryReaderError> for Failure {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Reader(error)
    }
}
