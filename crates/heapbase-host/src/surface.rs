//! What a module shows of itself: imports, exports, memory, start function, and by them who owns its heap.
//!
//! The spec is decided from the exports before anything else of the module is checked, as RFC-0061 asks.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use wasmparser::{
    BinaryReaderError, ConstExpr, DataKind, ExternalKind, FuncType, FuncValidatorAllocations, Operator, Parser,
    Payload, TypeRef, ValType, ValidPayload, Validator, WasmFeatures,
};

use crate::{
    config::{Features, Limits},
    error::{Error, Spec},
    guard::SELECT,
};

/// The legacy allocator's imports.
pub(crate) const MALLOC: &str = "ext_allocator_malloc_version_1";
pub(crate) const FREE: &str = "ext_allocator_free_version_1";

/// A data segment with a constant address.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// First address.
    pub(crate) start: u32,
    /// Where its bytes are in the module.
    pub(crate) bytes: std::ops::Range<usize>,
}

/// What the host has to know of a module before it hands it to an engine.
#[derive(Debug, Clone)]
pub(crate) struct Surface {
    pub(crate) spec: Spec,
    /// Imported functions, in the order of their indices: module and name.
    pub(crate) imports: Vec<(String, String)>,
    /// Their types.
    pub(crate) import_types: Vec<FuncType>,
    /// Declared minimum of the memory, in pages.
    pub(crate) memory_min: u64,
    /// Declared maximum of the memory, in pages.
    pub(crate) memory_max: Option<u64>,
    pub(crate) memory_exported: bool,
    pub(crate) start: bool,
    /// The data segments, when all of them are active with constant addresses inside of the declared memory.
    pub(crate) segments: Option<Vec<Segment>>,
    /// Value of `__heap_base`, where it is an exported constant `i32`.
    pub(crate) heap_base: Option<HeapBase>,
    /// Exported functions and a rendering of each one's type.
    pub(crate) functions: BTreeMap<String, String>,
    /// Offset of the first byte of the code section's contents.
    pub(crate) code_start: usize,
}

/// Where the legacy heap begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeapBase {
    /// A constant of the module.
    Constant(u32),
    /// An exported global whose value only the instance knows.
    Global,
}

/// The type of an entry point.
pub(crate) const ENTRY: &str = "(i32, i32) -> i64";

struct Walk {
    types: Vec<Option<FuncType>>,
    function_types: Vec<u32>,
    globals: Vec<(ValType, Option<u32>)>,
    exports: Vec<(String, ExternalKind, u32)>,
}

impl Walk {
    fn function_type(&self, index: u32) -> Option<&FuncType> {
        let ty = *self.function_types.get(index as usize)?;
        self.types.get(ty as usize)?.as_ref()
    }

    fn export(&self, name: &str) -> Option<(ExternalKind, u32)> {
        self.exports.iter().find(|(export, ..)| export == name).map(|&(_, kind, index)| (kind, index))
    }
}

/// Reads a module's surface and checks the rules of its allocator spec.
pub(crate) fn read(wasm: &[u8]) -> Result<Surface, Error> {
    if !wasm.starts_with(b"\0asm\x01\0\0\0") {
        return Err(Error::NotWasm { found: hex::encode(&wasm[..wasm.len().min(8)]) });
    }
    let mut walk = Walk { types: Vec::new(), function_types: Vec::new(), globals: Vec::new(), exports: Vec::new() };
    let mut imports = Vec::new();
    let mut unsupported = None;
    let mut memories = Vec::new();
    let mut memory_imported = false;
    let mut start = false;
    let mut data = Vec::new();
    let mut passive = false;
    let mut code_start = wasm.len();

    let mut section = "type";
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| malformed(section, &error))?;
        section = name_of(&payload).unwrap_or(section);
        check_count(&payload, section)?;
        match payload {
            Payload::TypeSection(reader) => {
                for ty in reader.into_iter_err_on_gc_types() {
                    walk.types.push(Some(ty.map_err(|error| invalid("type", &error))?));
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import.map_err(|error| malformed("import", &error))?;
                    match import.ty {
                        TypeRef::Func(ty) => {
                            walk.function_types.push(ty);
                            imports.push((import.module.to_owned(), import.name.to_owned()));
                        }
                        TypeRef::Memory(ty) => {
                            memory_imported = true;
                            memories.push(ty);
                            if (import.module, import.name) != ("env", "memory") {
                                unsupported.get_or_insert((format!("{}.{}", import.module, import.name), "memory"));
                            }
                        }
                        TypeRef::Global(ty) => {
                            walk.globals.push((ty.content_type, None));
                            unsupported.get_or_insert((format!("{}.{}", import.module, import.name), "global"));
                        }
                        TypeRef::Table(_) => {
                            unsupported.get_or_insert((format!("{}.{}", import.module, import.name), "table"));
                        }
                        _ => {
                            unsupported.get_or_insert((format!("{}.{}", import.module, import.name), "tag"));
                        }
                    }
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    walk.function_types.push(ty.map_err(|error| malformed("function", &error))?);
                }
            }
            Payload::MemorySection(reader) => {
                for ty in reader {
                    memories.push(ty.map_err(|error| malformed("memory", &error))?);
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    let global = global.map_err(|error| malformed("global", &error))?;
                    let value = if global.ty.mutable { None } else { constant(&global.init_expr) };
                    walk.globals.push((global.ty.content_type, value));
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.map_err(|error| malformed("export", &error))?;
                    walk.exports.push((export.name.to_owned(), export.kind, export.index));
                }
            }
            Payload::StartSection { .. } => start = true,
            Payload::DataSection(reader) => {
                for (index, segment) in reader.into_iter().enumerate() {
                    let segment = segment.map_err(|error| malformed("data", &error))?;
                    match segment.kind {
                        DataKind::Passive => passive = true,
                        DataKind::Active { offset_expr, .. } => {
                            let end = segment.range.end as usize;
                            data.push((index as u32, constant(&offset_expr), end - segment.data.len()..end));
                        }
                    }
                }
            }
            Payload::DataCountSection { .. } => passive = true,
            Payload::CodeSectionStart { unchecked_range, .. } => code_start = unchecked_range.start as usize,
            _ => {}
        }
    }

    let spec = match walk.export("v1") {
        Some((ExternalKind::Func, _)) => Spec::V1,
        _ => Spec::Legacy,
    };
    let heap_base = check_spec(spec, &walk, &imports)?;

    if let Some((name, kind)) = unsupported {
        return Err(Error::UnsupportedImport { name, kind });
    }
    let memory = match memories.as_slice() {
        [] => {
            return Err(Error::Memory { found: "has no memory" });
        }
        [memory] => memory,
        _ => {
            return Err(Error::Memory { found: "has several memories" });
        }
    };
    if memory.memory64 || memory.shared {
        return Err(Error::Memory { found: "has a shared or 64-bit memory" });
    }
    let memory_exported = matches!(walk.export("memory"), Some((ExternalKind::Memory, _)));
    if !memory_exported && !memory_imported {
        return Err(Error::Memory { found: "neither imports nor exports its memory" });
    }
    if !memory_exported && walk.export("memory").is_some() {
        return Err(Error::Memory { found: "exports something else as `memory`" });
    }

    let size = memory.initial * crate::WASM_PAGE;
    let mut segments = Some(Vec::with_capacity(data.len()));
    for (index, address, bytes) in data {
        match (address, segments.as_mut()) {
            (Some(start), Some(segments)) => {
                let end = u64::from(start) + bytes.len() as u64;
                if end > size {
                    return Err(Error::DataOutOfBounds { index, start: start.into(), end, size });
                }
                segments.push(Segment { start, bytes });
            }
            _ => segments = None,
        }
    }
    if passive {
        segments = None;
    }

    let functions = walk
        .exports
        .iter()
        .filter(|(_, kind, _)| *kind == ExternalKind::Func)
        .map(|(name, _, index)| (name.clone(), walk.function_type(*index).map_or_else(String::new, signature)))
        .collect();

    // A type that does not exist is for the validator to report.
    let import_types = (0..imports.len() as u32)
        .map(|index| walk.function_type(index).cloned().unwrap_or_else(|| FuncType::new([], [])))
        .collect();
    Ok(Surface {
        spec,
        imports,
        import_types,
        memory_min: memory.initial,
        memory_max: memory.maximum,
        memory_exported,
        start,
        segments,
        heap_base,
        functions,
        code_start,
    })
}

/// The rules of `spec/v1.md`, "How a host decides".
fn check_spec(spec: Spec, walk: &Walk, imports: &[(String, String)]) -> Result<Option<HeapBase>, Error> {
    let heap_base = match walk.export("__heap_base") {
        Some((ExternalKind::Global, index)) => walk.globals.get(index as usize),
        _ => None,
    };
    match spec {
        Spec::Legacy => match heap_base {
            Some((ValType::I32, Some(value))) => Ok(Some(HeapBase::Constant(*value))),
            Some((ValType::I32, None)) => Ok(Some(HeapBase::Global)),
            Some((other, _)) => Err(Error::MissingExport {
                spec,
                name: "__heap_base",
                expected: "a global of type i32",
                found: format!("it is a global of type {other}"),
            }),
            None => Err(Error::MissingExport {
                spec,
                name: "__heap_base",
                expected: "a global of type i32",
                found: absent(walk, "__heap_base"),
            }),
        },
        Spec::V1 => {
            let required = [
                ("alloc", "(i32) -> i32", true),
                ("dealloc", "(i32, i32)", false),
                ("realloc", "(i32, i32, i32) -> i32", false),
            ];
            for (name, expected, required) in required {
                match walk.export(name) {
                    Some((ExternalKind::Func, index)) => {
                        let found = walk.function_type(index).map_or_else(String::new, signature);
                        if found != expected {
                            return Err(Error::WrongSignature { spec, name, expected, found });
                        }
                    }
                    Some(_) if required => {
                        return Err(Error::MissingExport { spec, name, expected, found: absent(walk, name) });
                    }
                    Some(_) => {
                        return Err(Error::WrongSignature { spec, name, expected, found: "not a function".to_owned() });
                    }
                    None if required => {
                        return Err(Error::MissingExport { spec, name, expected, found: absent(walk, name) });
                    }
                    None => {}
                }
            }
            let mixed: Vec<_> = imports
                .iter()
                .filter(|(_, name)| name == MALLOC || name == FREE)
                .map(|(module, name)| format!("{module}.{name}"))
                .collect();
            if mixed.is_empty() { Ok(None) } else { Err(Error::MixedAllocators { imports: mixed }) }
        }
    }
}

/// Entries that one section may have. The engines refuse more too, but only after all of them have been read here, and an entry
/// takes fifty times as much memory as the bytes that it is made of.
const ENTRIES: u32 = 1_000_000;

fn check_count(payload: &Payload<'_>, section: &'static str) -> Result<(), Error> {
    let (count, range) = match payload {
        Payload::TypeSection(reader) => (reader.count(), reader.range()),
        Payload::ImportSection(reader) => (reader.count(), reader.range()),
        Payload::FunctionSection(reader) => (reader.count(), reader.range()),
        Payload::MemorySection(reader) => (reader.count(), reader.range()),
        Payload::GlobalSection(reader) => (reader.count(), reader.range()),
        Payload::ExportSection(reader) => (reader.count(), reader.range()),
        Payload::DataSection(reader) => (reader.count(), reader.range()),
        _ => return Ok(()),
    };
    if count > ENTRIES {
        let message = format!("{count} entries, the limit is {ENTRIES}");
        return Err(Error::Invalid { message, section, offset: range.start as usize });
    }
    Ok(())
}

fn absent(walk: &Walk, name: &str) -> String {
    match walk.export(name) {
        None => "there is none".to_owned(),
        Some((kind, _)) => format!(
            "it is a {}",
            match kind {
                ExternalKind::Func | ExternalKind::FuncExact => "function",
                ExternalKind::Table => "table",
                ExternalKind::Memory => "memory",
                ExternalKind::Global => "global",
                ExternalKind::Tag => "tag",
            }
        ),
    }
}

/// Renders a function's type as `(i32, i32) -> i64`.
pub(crate) fn signature(ty: &FuncType) -> String {
    let join = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match ty.results() {
        [] => format!("({})", join(ty.params())),
        [result] => format!("({}) -> {result}", join(ty.params())),
        results => format!("({}) -> ({})", join(ty.params()), join(results)),
    }
}

/// The value of an expression that is one `i32.const`.
fn constant(expr: &ConstExpr<'_>) -> Option<u32> {
    let mut operators = expr.get_operators_reader();
    match (operators.read(), operators.read()) {
        (Ok(Operator::I32Const { value }), Ok(Operator::End)) => Some(value as u32),
        _ => None,
    }
}

fn malformed(section: &'static str, error: &BinaryReaderError) -> Error {
    Error::Malformed { message: error.message().to_owned(), section, offset: error.offset() as usize }
}

fn invalid(section: &'static str, error: &BinaryReaderError) -> Error {
    Error::Invalid { message: error.message().to_owned(), section, offset: error.offset() as usize }
}

/// What validation finds out in passing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Valid {
    /// Whether code asks for the size of memory or grows it, and so can tell how much there is.
    pub(crate) asks_memory_size: bool,
    /// The offset of each `select`, rising.
    pub(crate) selects: Vec<usize>,
}

/// Validates the whole module under the features that [`Features`] allows, function bodies on all cores.
pub(crate) fn validate(wasm: &[u8], features: Features, limits: &Limits) -> Result<Valid, Error> {
    let allowed = match features {
        Features::Node => WasmFeatures::WASM1,
        Features::Extended => {
            WasmFeatures::WASM1
                | WasmFeatures::SIGN_EXTENSION
                | WasmFeatures::SATURATING_FLOAT_TO_INT
                | WasmFeatures::MULTI_VALUE
                | WasmFeatures::BULK_MEMORY
        }
    };
    let mut validator = Validator::new_with_features(allowed);
    let mut bodies = Vec::new();
    let mut section = "type";
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| invalid(section, &error))?;
        section = name_of(&payload).unwrap_or(section);
        match validator.payload(&payload).map_err(|error| invalid(section, &error))? {
            ValidPayload::Func(function, body) => bodies.push((function, body)),
            ValidPayload::Ok | ValidPayload::End(_) | ValidPayload::Parser(_) => {}
        }
        if let Payload::TableSection(tables) = payload {
            for table in tables.into_iter_with_offsets() {
                let (offset, table) = table.map_err(|error| invalid("table", &error))?;
                if table.ty.initial > limits.table_elements as u64 {
                    return Err(Error::Invalid {
                        message: format!(
                            "a table of {} elements, the limit is {}",
                            table.ty.initial, limits.table_elements
                        ),
                        section: "table",
                        offset: offset as usize,
                    });
                }
            }
        }
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    // A thread is worth its start only with some megabyte of code to read.
    let threads = threads.min(1 + wasm.len() / (1 << 20));
    let share = bodies.len().div_ceil(threads).max(1);
    let mut chunks = Vec::new();
    while !bodies.is_empty() {
        chunks.push(bodies.split_off(bodies.len().saturating_sub(share)));
    }
    let check = |chunk: Vec<(wasmparser::FuncToValidate<_>, wasmparser::FunctionBody<'_>)>| {
        let mut allocations = FuncValidatorAllocations::default();
        let mut found = Valid::default();
        for (function, body) in chunk {
            let mut validator = function.into_validator(allocations);
            let mut reader = body.get_binary_reader();
            validator.read_locals(&mut reader)?;
            let mut operators = wasmparser::OperatorsReader::new(reader);
            while !operators.eof() {
                let offset = operators.original_position();
                match wasm.get(offset as usize) {
                    Some(&(MEMORY_SIZE | MEMORY_GROW)) => found.asks_memory_size = true,
                    Some(&SELECT) => found.selects.push(offset as usize),
                    _ => {}
                }
                operators.visit_operator(&mut validator.visitor(offset))??;
            }
            operators.finish()?;
            allocations = validator.into_allocations();
        }
        Ok::<Valid, BinaryReaderError>(found)
    };
    let work = Mutex::new(chunks);
    let turn = || {
        let mut results = Vec::new();
        loop {
            // Taken in a statement of its own, so that nobody waits for the lock while a chunk is checked.
            let chunk = work.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match chunk {
                Some(chunk) => results.push(check(chunk)),
                None => return results,
            }
        }
    };
    std::thread::scope(|scope| {
        // A system that gives no more threads only makes this one do more of the work.
        let others: Vec<_> =
            (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, turn).ok()).collect();
        let mut results = turn();
        for other in others {
            match other.join() {
                Ok(result) => results.extend(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        // The first error in the module, whichever thread found it.
        let worst = results.iter().filter_map(|result| result.as_ref().err()).min_by_key(|error| error.offset());
        match worst {
            Some(error) => Err(invalid("code", error)),
            None => Ok(Valid::of(results.into_iter().flatten())),
        }
    })
}

impl Valid {
    /// What was found in all parts of the code.
    fn of(parts: impl Iterator<Item = Self>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            whole.asks_memory_size |= part.asks_memory_size;
            whole.selects.extend(part.selects);
        }
        // The parts come in no order, and each is in order.
        whole.selects.sort();
        whole
    }
}

/// Opcodes of `memory.size` and `memory.grow`.
const MEMORY_SIZE: u8 = 0x3f;
const MEMORY_GROW: u8 = 0x40;

fn name_of(payload: &Payload<'_>) -> Option<&'static str> {
    Some(match payload {
        Payload::TypeSection(_) => "type",
        Payload::ImportSection(_) => "import",
        Payload::FunctionSection(_) => "function",
        Payload::TableSection(_) => "table",
        Payload::MemorySection(_) => "memory",
        Payload::GlobalSection(_) => "global",
        Payload::ExportSection(_) => "export",
        Payload::StartSection { .. } => "start",
        Payload::ElementSection(_) => "element",
        Payload::DataCountSection { .. } => "data count",
        Payload::DataSection(_) => "data",
        Payload::CodeSectionStart { .. } => "code",
        Payload::CustomSection(_) => "custom",
        _ => return None,
    })
}
