//! The runtime's own `realloc` as a function of its own.
//!
//! Newer compilers leave Rust's `__rust_realloc` a function, `(block, size, alignment, new size) -> new block`, and what it does
//! besides allocating, copying and freeing (aligning, writing in front of the block) differs from runtime to runtime. So it is not
//! known by its code but by what it does: a function of that type which calls the allocator and something that copies is
//! executed alone, with the allocator and the copy in the trial's hands, and has to ask for the new size, copy what both blocks
//! have, free the old block, return the new one, and leave every other byte as it was. In its place comes a function that first
//! tries to resize the block where it is, and calls the original, which moves behind the others, where that fails, where the
//! block is aligned to more than 8, and where the runtime moved it to align it.

use super::{
    pattern::{Known, Via},
    survey::Survey,
};
use crate::splice::{Splice, call, instructions};
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, FunctionSection, ImportSection, Instruction, TypeSection,
    ValType,
};
use wasmparser::Operator;

/// A function that changes a block's size by allocating, copying and freeing.
#[derive(Debug)]
pub(super) struct Realloc {
    pub(super) function: u32,
    /// How it calls the allocator.
    pub(super) malloc: Via,
    pub(super) free: Via,
}

/// So many functions at most are tried out.
const MOST: usize = 4;

/// The runtime's functions that do so, save those in which the growing itself is recognised.
pub(super) fn reallocs(survey: &Survey<'_>, known: &Known<'_>) -> Vec<Realloc> {
    let own = (survey.imported_functions..).take(survey.bodies.len());
    own.filter_map(|function| alone(survey, known, function))
        .take(MOST)
        .filter(|(_, module)| trial::passes(module))
        .map(|(realloc, _)| realloc)
        .collect()
}

/// A module of this function, in which the allocator's functions and the copy are imported. `None` where it is not of the type,
/// does not call all of them, or calls another through a table.
fn alone(survey: &Survey<'_>, known: &Known<'_>, function: u32) -> Option<(Realloc, Vec<u8>)> {
    const I32: wasmparser::ValType = wasmparser::ValType::I32;
    let ty = survey.function_type(function)?;
    if ty.params() != [I32; 4] || ty.results() != [I32] {
        return None;
    }
    let body = survey.body(function)?;
    let operators = body.get_operators_reader().ok()?.into_iter_with_offsets();
    let operators = operators.map(|operator| operator.map(|(operator, offset)| (operator, offset as usize)));
    let code = operators.collect::<Result<Vec<_>, _>>().ok()?;
    let (mut malloc, mut free, mut copies) = (None, None, false);
    let mut edits = Vec::new();
    for index in 0..code.len().checked_sub(1)? {
        if known.growth(&code, index).is_some() {
            return None;
        }
        let (first, with) = if let Some((via, first)) = known.malloc_call(&code, index) {
            malloc.get_or_insert(via);
            (first, call(trial::MALLOC, &[]))
        } else if let Some((via, first)) = known.free_call(&code, index) {
            free.get_or_insert(via);
            (first, call(trial::FREE, &[]))
        } else {
            match code[index].0 {
                Operator::Call { function_index } if known.copies(function_index) => {
                    copies = true;
                    (index, call(trial::COPY, &[]))
                }
                // How a panic is told.
                Operator::Call { .. } => (index, instructions(&[Instruction::Unreachable])),
                Operator::CallIndirect { .. } => return None,
                _ => continue,
            }
        };
        edits.push((code[first].1..code[index + 1].1, with));
    }
    let (Some(malloc), Some(free), true) = (malloc, free, copies) else { return None };
    let range = body.range();
    let mut splice = Splice::new(survey.wasm, range.start as usize..range.end as usize);
    for (range, with) in edits {
        splice.replace(range, &with);
    }
    Some((Realloc { function, malloc, free }, module(&splice.finish())))
}

/// The module around a function that is tried out.
fn module(body: &[u8]) -> Vec<u8> {
    let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    let signatures: [(&str, usize, usize); 4] = [("malloc", 1, 1), ("free", 1, 0), ("copy", 3, 1), ("", 4, 1)];
    for (index, (name, params, results)) in (0..).zip(signatures) {
        types.ty().function(vec![ValType::I32; params], vec![ValType::I32; results]);
        match name {
            "" => functions.function(index),
            _ => {
                imports.import("trial", name, EntityType::Function(index));
                continue;
            }
        };
    }
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0).export("realloc", ExportKind::Func, trial::REALLOC);
    let mut code = CodeSection::new();
    code.raw(body);
    let mut module = wasm_encoder::Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&super::trial::memory())
        .section(&exports)
        .section(&code);
    module.finish()
}

/// Executes a function and looks at what it does.
mod trial {
    use super::super::trial::{bytes, load};
    use wasmi::{Caller, Error, Linker, Memory, Store, TypedFunc};

    /// Indices of what the function calls, and of itself.
    pub(super) const MALLOC: u32 = 0;
    pub(super) const FREE: u32 = 1;
    pub(super) const COPY: u32 = 2;
    pub(super) const REALLOC: u32 = 3;

    /// Where the old block lies, and the new one.
    const OLD: u32 = 4096;
    const NEW: u32 = 32_768;
    const FUEL: u64 = 10_000;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Call {
        Malloc(u32),
        Copy(u32, u32, u32),
        Free(u32),
    }

    /// What the function called, and what it is given for a new block.
    #[derive(Default)]
    struct Seen {
        calls: Vec<Call>,
        block: u32,
    }

    /// Whether the module's function does on every case what it should.
    pub(super) fn passes(module: &[u8]) -> bool {
        let sizes = [1_u32, 2, 7, 8, 9, 24, 63, 64, 100, 1000, 4096, 20_000];
        Subject::new(module).is_some_and(|mut subject| {
            [1, 2, 4, 8].into_iter().all(|align| {
                sizes.into_iter().all(|old| {
                    sizes.into_iter().all(|new| subject.moves(old, align, new)) && subject.fails(old, align, 2 * old)
                })
            })
        })
    }

    struct Subject {
        store: Store<Seen>,
        memory: Memory,
        realloc: TypedFunc<(u32, u32, u32, u32), u32>,
        fresh: Vec<u8>,
    }

    impl Subject {
        fn new(module: &[u8]) -> Option<Self> {
            let (module, mut store) = load(module, Seen::default())?;
            let mut linker = Linker::new(store.engine());
            let malloc = |mut caller: Caller<'_, Seen>, size: u32| {
                caller.data_mut().calls.push(Call::Malloc(size));
                caller.data().block
            };
            let free = |mut caller: Caller<'_, Seen>, block: u32| caller.data_mut().calls.push(Call::Free(block));
            let copy = |mut caller: Caller<'_, Seen>, to: u32, from: u32, len: u32| -> Result<u32, Error> {
                caller.data_mut().calls.push(Call::Copy(to, from, len));
                let memory = caller.get_export("memory").and_then(wasmi::Extern::into_memory);
                let bytes = memory.ok_or_else(|| Error::new("no memory"))?.data_mut(&mut caller);
                let range = |start: u32| start as usize..start as usize + len as usize;
                if bytes.get(range(to)).is_none() || bytes.get(range(from)).is_none() {
                    return Err(Error::new("outside memory"));
                }
                bytes.copy_within(range(from), to as usize);
                Ok(to)
            };
            linker.func_wrap("trial", "malloc", malloc).ok()?;
            linker.func_wrap("trial", "free", free).ok()?;
            linker.func_wrap("trial", "copy", copy).ok()?;
            let instance = linker.instantiate_and_start(&mut store, &module).ok()?;
            let memory = instance.get_memory(&store, "memory")?;
            let realloc = instance.get_typed_func(&store, "realloc").ok()?;
            // In front of the old block stands that it was not moved.
            let mut fresh = bytes(memory.data_size(&store));
            fresh[OLD as usize - 3..OLD as usize].fill(0);
            Some(Self { store, memory, realloc, fresh })
        }

        /// Calls the function where a new block would lie at `block`.
        fn call(&mut self, block: u32, input: (u32, u32, u32, u32)) -> Option<u32> {
            self.memory.data_mut(&mut self.store).copy_from_slice(&self.fresh);
            *self.store.data_mut() = Seen { calls: Vec::new(), block };
            self.store.set_fuel(FUEL).ok()?;
            self.realloc.call(&mut self.store, input).ok()
        }

        /// Whether it moves a block: asks, copies, frees, and writes at most two zeros in front of the new block.
        fn moves(&mut self, old: u32, align: u32, new: u32) -> bool {
            let result = self.call(NEW, (OLD, old, align, new));
            let common = old.min(new);
            let mut after = self.fresh.clone();
            after.copy_within(OLD as usize..(OLD + common) as usize, NEW as usize);
            let front = NEW as usize - 2..NEW as usize;
            let memory = self.memory.data(&self.store);
            if memory[front.clone()] == [0, 0] {
                after[front].fill(0);
            }
            let expected = [Call::Malloc(new), Call::Copy(NEW, OLD, common), Call::Free(OLD)];
            result == Some(NEW) && self.store.data().calls == expected && *memory == after
        }

        /// Whether it leaves everything as it was when there is no memory: it may trap or return null.
        fn fails(&mut self, old: u32, align: u32, new: u32) -> bool {
            let result = self.call(0, (OLD, old, align, new));
            result.is_none_or(|block| block == 0)
                && self.store.data().calls == [Call::Malloc(new)]
                && *self.memory.data(&self.store) == self.fresh
        }
    }
}
