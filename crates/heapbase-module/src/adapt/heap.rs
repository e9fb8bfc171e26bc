//! Whose heap: where the language's own lies, and where the host's or the embedded allocator's begins.
//!
//! Before, a module whose language takes its memory by growing:
//!
//! ```wat
//! (module
//!   (memory 37)
//!   (func $sbrk (param i32) (result i32) local.get 0 memory.grow 0)
//!   (func $size (result i32) memory.size 0))
//! ```
//!
//! After, with an arena of 16 MiB, 256 pages:
//!
//! ```wat
//! (module
//!   (memory 310)
//!   (global $pages (mut i32) (i32.const 37))
//!   (global (export "__heap_base") i32 (i32.const 19220480))
//!   (func $sbrk (param i32) (result i32) local.get 0 call $grow)
//!   (func $size (result i32) global.get $pages)
//!   (func $grow (param i32) (result i32) …))   ;; up to 293 pages, otherwise -1
//! ```
//!
//! | address | what |
//! | --- | --- |
//! | 0 … memory's end as it was | data, stack, and what else the toolchain laid out |
//! | … | the arena: what `memory.grow` gives the language |
//! | … | scratch memory of the functions that stand in for a system, if there are any |
//! | `__heap_base` … | under local the host's heap; under v1 the embedded allocator's, which really grows the memory |
//!
//! Why not let the language grow the memory for itself under v1: Go, AssemblyScript and others take it for granted that what they
//! grow lies behind what they have. A second one who grows in between would give them memory that is not theirs.
//!
//! The arena is reserved, not touched: it costs address space until it is used. A module that never grows its memory gets none. One
//! whose heap is the host's already (it imports `ext_allocator_malloc_version_1`, and never grows) keeps its layout.

use super::error::AdaptError;
use super::module::{CEILING, ENV, Export, Module, Origin, WASM_PAGE};
use crate::splice::instructions;
use wasm_encoder::{BlockType, Function, Instruction as I};
use wasmparser::{ExternalKind, FuncType, MemoryType, Operator, ValType};

/// Pages above the heap base that a module begins with. Hosts add more; under v1 the first blocks need no growing.
const ROOM: u64 = 16;

/// Alignment of the heap base.
const ALIGN: u64 = 16;

/// Where things lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Pages that the language has at the start.
    pages: u32,
    /// Pages that it may grow to; none if it never grows.
    limit: Option<u32>,
    /// The first address that the language never touches.
    pub(super) floor: u32,
    /// Whether its heap is the host's.
    pub(super) host_heap: bool,
    /// Where the host's heap began before.
    base: u64,
}

impl Plan {
    /// Whether the language grows its memory.
    pub(super) fn grows(&self) -> bool {
        self.limit.is_some()
    }

    /// Pages of the arena.
    pub(super) fn arena_pages(&self) -> u32 {
        self.limit.map_or(0, |limit| limit - self.pages)
    }
}

/// Lays a module out. `arena` is in bytes.
pub(super) fn plan(module: &mut Module<'_>, arena: u32) -> Result<Plan, AdaptError> {
    let none = MemoryType { memory64: false, shared: false, initial: 0, maximum: None, page_size_log2: None };
    let data_end = module.data_end();
    let memory = module.memory.get_or_insert(none);
    // A host may have been expected to bring a larger memory than the module asks for.
    memory.initial = memory.initial.max(data_end.div_ceil(WASM_PAGE));
    let memory = *memory;
    let grows = module.uses(|operator| matches!(operator, Operator::MemoryGrow { .. }))?;
    let arena = if grows { arena } else { 0 };
    let too_large = |pages| AdaptError::TooLarge { arena: arena.into(), pages, ceiling: CEILING };
    let takes_hosts = module.imports().any(|(_, from, name)| from == ENV && name == crate::convert::MALLOC);
    if takes_hosts && !grows {
        let base = module.exported_constant(crate::convert::HEAP_BASE).map_or(memory.initial * WASM_PAGE, u64::from);
        let floor = base.max(data_end).next_multiple_of(ALIGN);
        let floor = u32::try_from(floor).map_err(|_| too_large(floor.div_ceil(WASM_PAGE)))?;
        return Ok(Plan { pages: memory.initial as u32, limit: None, floor, host_heap: true, base });
    }
    let limit = memory.initial + u64::from(arena).div_ceil(WASM_PAGE);
    let limit = limit.min(memory.maximum.unwrap_or(CEILING)).max(memory.initial);
    let floor = u32::try_from(limit * WASM_PAGE).map_err(|_| too_large(limit))?;
    let limit = grows.then_some(limit as u32);
    Ok(Plan { pages: memory.initial as u32, limit, floor, host_heap: false, base: floor.into() })
}

/// Gives the language its arena, and everybody else what lies above. `scratch` bytes at the floor are taken. Returns the heap base.
/// `refuse` is told of pages that it does not get.
pub(super) fn reserve(
    module: &mut Module<'_>,
    plan: &Plan,
    scratch: u32,
    refuse: Option<u32>,
) -> Result<u32, AdaptError> {
    let heap_base = (u64::from(plan.floor) + u64::from(scratch)).next_multiple_of(ALIGN);
    let Some(memory) = module.memory.as_mut() else { return Ok(heap_base as u32) };
    let before = memory.initial;
    if plan.host_heap {
        let added = (heap_base - plan.base).div_ceil(WASM_PAGE);
        memory.initial = (before + added).max(heap_base.div_ceil(WASM_PAGE));
        memory.maximum = memory.maximum.map(|maximum| (maximum + added).max(memory.initial));
    } else {
        memory.initial = heap_base.div_ceil(WASM_PAGE) + ROOM;
        memory.maximum = None;
    }
    let pages = memory.initial.max(memory.maximum.unwrap_or_default());
    // The last page of all holds no heap.
    if pages > CEILING || heap_base / WASM_PAGE >= CEILING {
        return Err(AdaptError::TooLarge { arena: u64::from(plan.arena_pages()) * WASM_PAGE, pages, ceiling: CEILING });
    }
    if !plan.host_heap {
        answer_size(module, plan, refuse);
    }
    module.exports.retain(|export| export.kind == ExternalKind::Func || export.name != crate::convert::HEAP_BASE);
    let global = module.add_global((heap_base as u32).cast_signed(), false);
    module.exports.push(Export { name: crate::convert::HEAP_BASE.into(), kind: ExternalKind::Global, index: global });
    Ok(heap_base as u32)
}

/// Answers `memory.grow` and `memory.size` from the arena.
fn answer_size(module: &mut Module<'_>, plan: &Plan, refuse: Option<u32>) {
    let Some(limit) = plan.limit else {
        module.substitutes.memory_size = Some(instructions(&[I::I32Const(plan.pages.cast_signed())]));
        return;
    };
    let pages = module.add_global(plan.pages.cast_signed(), true);
    let mut grow = Function::new([]);
    for instruction in [
        I::LocalGet(0),
        I::I32Const(limit.cast_signed()),
        I::GlobalGet(pages),
        I::I32Sub,
        I::I32GtU,
        I::If(BlockType::Empty),
    ] {
        grow.instruction(&instruction);
    }
    if let Some(refuse) = refuse {
        grow.instruction(&I::LocalGet(0)).instruction(&I::Call(refuse));
    }
    for instruction in [
        I::I32Const(-1),
        I::Return,
        I::End,
        I::GlobalGet(pages),
        I::GlobalGet(pages),
        I::LocalGet(0),
        I::I32Add,
        I::GlobalSet(pages),
        I::End,
    ] {
        grow.instruction(&instruction);
    }
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let grow = module.add("heapbase::grow", &ty, Origin::Made(grow.into_raw_body()));
    module.substitutes.memory_grow = Some(grow);
    module.substitutes.memory_size = Some(instructions(&[I::GlobalGet(pages)]));
}
