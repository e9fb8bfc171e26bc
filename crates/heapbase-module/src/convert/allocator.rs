//! Allocator modules: what a conversion merges into a runtime.
//!
//! heapbase brings its own family ([`Family`]); anybody else's allocator can be merged if it is a module that follows this
//! interface. It is checked before anything else is done.
//!
//! **Imports**, all optional, nothing else may be imported:
//!
//! | import | type | becomes |
//! | --- | --- | --- |
//! | `env.memory` | memory | the runtime's memory |
//! | `heapbase.state` | `() -> i32` | the address of the allocator's state, aligned to 8; its memory begins behind it |
//! | `heapbase.end` | `() -> i32` | where that memory ends |
//! | `heapbase.grow` | `(pages: i32) -> i32` | `memory.grow` under v1; a failure, -1, under local |
//!
//! Each becomes a few instructions in the place of the call: constants under v1, where the memory behind the data is the
//! allocator's; loads under local, where it comes from the host in one block.
//!
//! **Exports**:
//!
//! | export | type | |
//! | --- | --- | --- |
//! | `alloc` | `(size: i32) -> i32` | a block aligned to 8, or 0 when there is no memory; `size` may be 0, and is at most 8 bytes above 32 MiB; the address lies inside the allocator's memory, also that of an empty block |
//! | `free` | `(block: i32)` | gives back a block, whose size is found from its address |
//! | `state_size` | `() -> i32` | one `i32.const`: bytes of state |
//! | `resize` | `(block: i32, size: i32) -> i32` | optional: 1 if the block was resized in place, otherwise 0 and nothing was changed |
//!
//! **Limits.** WebAssembly 1.0 without floating point, at most 256 functions and 64 KiB of state. No data or element segments, tables, start function, indirect calls,
//! `memory.grow` or `memory.size`, and no use of globals: the allocator has no stack in memory. The
//! state is zero when `alloc` is first called, and that must be a valid empty heap; nothing is known of the memory behind it.

use super::error::ConvertError;
use wasmparser::{
    ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload, TypeRef, ValType, Validator, WasmFeatures,
};

/// The allocators that heapbase brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// `size-class`: the flagship, for everything.
    #[default]
    SizeClass,
    /// `free-list`: small; slow where much is free.
    FreeList,
    /// `freeing-bump`: what hosts do, block by block, for runtimes that touch what they have freed.
    FreeingBump,
    /// `leaking`: gives nothing back.
    Leaking,
    /// `leaking-page`: takes whole pages of 64 KiB and gives nothing back.
    LeakingPage,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::SizeClass, Self::FreeList, Self::FreeingBump, Self::Leaking, Self::LeakingPage];

    /// The name that the command line and the record use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SizeClass => "size-class",
            Self::FreeList => "free-list",
            Self::FreeingBump => "freeing-bump",
            Self::Leaking => "leaking",
            Self::LeakingPage => "leaking-page",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The allocator module.
    pub const fn wasm(self) -> &'static [u8] {
        match self {
            Self::SizeClass => include_bytes!("../../allocators/size-class.wasm"),
            Self::FreeList => include_bytes!("../../allocators/free-list.wasm"),
            Self::FreeingBump => include_bytes!("../../allocators/freeing-bump.wasm"),
            Self::Leaking => include_bytes!("../../allocators/leaking.wasm"),
            Self::LeakingPage => include_bytes!("../../allocators/leaking-page.wasm"),
        }
    }
}

/// What an allocator module imports besides the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intrinsic {
    State,
    End,
    Grow,
}

/// An allocator module that follows the interface.
pub(super) struct AllocatorModule<'a> {
    pub(super) wasm: &'a [u8],
    pub(super) imports: Vec<Intrinsic>,
    /// Types of all functions, imported ones first.
    pub(super) types: Vec<FuncType>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    pub(super) alloc: u32,
    pub(super) free: u32,
    pub(super) resize: Option<u32>,
    pub(super) state_size: u32,
}

/// More state than this is a mistake: it would be touched by every call.
const MOST_STATE: u32 = 64 * 1024;

/// More functions than this are a mistake too, and following their calls must not exhaust the stack.
const MOST_FUNCTIONS: usize = 256;

impl<'a> AllocatorModule<'a> {
    /// Reads and checks a module.
    pub(super) fn read(name: &str, wasm: &'a [u8]) -> Result<Self, ConvertError> {
        read(wasm).map_err(|problem| ConvertError::Allocator { name: name.to_owned(), problem })
    }

    /// The body of a function of its own.
    pub(super) fn body(&self, function: u32) -> &FunctionBody<'a> {
        &self.bodies[function as usize - self.imports.len()]
    }

    /// Whether calls of `from` reach `to`, which every body's calls are checked to be.
    pub(super) fn calls(&self, function: u32) -> Vec<u32> {
        let Ok(operators) = self.body(function).get_operators_reader() else { return Vec::new() };
        operators
            .into_iter()
            .filter_map(|operator| match operator {
                Ok(Operator::Call { function_index }) => Some(function_index),
                _ => None,
            })
            .collect()
    }
}

fn read(wasm: &[u8]) -> Result<AllocatorModule<'_>, String> {
    let features = WasmFeatures::WASM1.difference(WasmFeatures::FLOATS);
    Validator::new_with_features(features)
        .validate_all(wasm)
        .map_err(|error| format!("is not a module of WebAssembly 1.0 without floating point: {error}"))?;
    let mut module = Parts::default();
    for payload in Parser::new(0).parse_all(wasm) {
        module.section(payload.map_err(|error| error.to_string())?)?;
    }
    module.finish(wasm)
}

#[derive(Default)]
struct Parts<'a> {
    declared: Vec<FuncType>,
    imports: Vec<Intrinsic>,
    types: Vec<FuncType>,
    bodies: Vec<FunctionBody<'a>>,
    exports: Vec<(&'a str, u32)>,
}

impl<'a> Parts<'a> {
    fn section(&mut self, payload: Payload<'a>) -> Result<(), String> {
        let text = |error: wasmparser::BinaryReaderError| error.to_string();
        match payload {
            Payload::TypeSection(reader) => {
                for ty in reader.into_iter_err_on_gc_types() {
                    self.declared.push(ty.map_err(text)?);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    self.import(import.map_err(text)?)?;
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    self.types.push(self.declared[ty.map_err(text)? as usize].clone());
                }
            }
            Payload::MemorySection(_) => return Err("defines a memory; it has to import `env.memory`".to_owned()),
            Payload::TableSection(_) => return Err("defines a table, and indirect calls are not merged".to_owned()),
            Payload::ElementSection(_) => return Err("has an element segment".to_owned()),
            Payload::StartSection { .. } => return Err("has a start function; zeroed state must do".to_owned()),
            Payload::DataSection(reader) if reader.count() > 0 => {
                return Err(format!(
                    "has data (offset {:#x}); its state must be zero at the start",
                    reader.range().start
                ));
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.map_err(text)?;
                    if export.kind == ExternalKind::Func {
                        self.exports.push((export.name, export.index));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                check_body(&body)?;
                self.bodies.push(body);
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'_>) -> Result<(), String> {
        let TypeRef::Func(ty) = import.ty else {
            return match (import.module, import.name, import.ty) {
                ("env", "memory", TypeRef::Memory(_)) => Ok(()),
                (module, name, _) => Err(format!("imports `{module}.{name}`")),
            };
        };
        let intrinsic = match (import.module, import.name) {
            ("heapbase", "state") => Intrinsic::State,
            ("heapbase", "end") => Intrinsic::End,
            ("heapbase", "grow") => Intrinsic::Grow,
            (module, name) => return Err(format!("imports the function `{module}.{name}`")),
        };
        let params: &[ValType] = if intrinsic == Intrinsic::Grow { &[ValType::I32] } else { &[] };
        let ty = &self.declared[ty as usize];
        if ty.params() != params || ty.results() != [ValType::I32] {
            return Err(format!("imports `heapbase.{}` as `{ty}`", import.name));
        }
        self.imports.push(intrinsic);
        self.types.push(ty.clone());
        Ok(())
    }

    /// What a function returns that is one `i32.const`.
    fn constant(&self, name: &str, function: u32) -> Result<u32, String> {
        let body = &self.bodies[function as usize - self.imports.len()];
        let operators: Vec<_> = body
            .get_operators_reader()
            .and_then(|operators| operators.into_iter().collect::<Result<_, _>>())
            .map_err(|error| error.to_string())?;
        match operators[..] {
            [Operator::I32Const { value }, Operator::End] => Ok(value.cast_unsigned()),
            _ => Err(format!("exports a `{name}` that is not one `i32.const`")),
        }
    }

    fn finish(self, wasm: &'a [u8]) -> Result<AllocatorModule<'a>, String> {
        const I32: ValType = ValType::I32;
        let own = |name: &str, params: &[ValType], results: &[ValType]| {
            let Some(&(_, function)) = self.exports.iter().find(|(export, _)| *export == name) else { return Ok(None) };
            let ty = &self.types[function as usize];
            if ty.params() != params || ty.results() != results {
                return Err(format!("exports `{name}` as `{ty}`"));
            }
            if (function as usize) < self.imports.len() {
                return Err(format!("exports `{name}`, which is an import of its own"));
            }
            Ok(Some(function))
        };
        let needed =
            |name: &str, found: Option<u32>| found.ok_or_else(|| format!("does not export the function `{name}`"));
        let alloc = needed("alloc", own("alloc", &[I32], &[I32])?)?;
        let free = needed("free", own("free", &[I32], &[])?)?;
        let resize = own("resize", &[I32, I32], &[I32])?;
        let size = needed("state_size", own("state_size", &[], &[I32])?)?;
        let state_size = self.constant("state_size", size)?;
        if state_size > MOST_STATE {
            return Err(format!("wants {state_size} bytes of state; {MOST_STATE} is the most"));
        }
        if self.bodies.len() > MOST_FUNCTIONS {
            return Err(format!("has {} functions; {MOST_FUNCTIONS} is the most", self.bodies.len()));
        }
        let Self { imports, types, bodies, .. } = self;
        Ok(AllocatorModule { wasm, imports, types, bodies, alloc, free, resize, state_size })
    }
}

/// Refuses what cannot be merged.
fn check_body(body: &FunctionBody<'_>) -> Result<(), String> {
    let operators = body.get_operators_reader().map_err(|error| error.to_string())?;
    for operator in operators.into_iter_with_offsets() {
        let (operator, offset) = operator.map_err(|error| error.to_string())?;
        let what = match operator {
            Operator::GlobalGet { .. } | Operator::GlobalSet { .. } => "uses a global (has it a stack in memory?)",
            Operator::CallIndirect { .. } => "calls indirectly",
            Operator::MemoryGrow { .. } | Operator::MemorySize { .. } => {
                "grows or measures the memory itself; `heapbase.grow` does so"
            }
            _ => continue,
        };
        return Err(format!("{what} (offset {offset:#x})"));
    }
    Ok(())
}
