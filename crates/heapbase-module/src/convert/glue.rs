//! The functions that a conversion adds: the allocator's own, and those that stand between it and the runtime.

use super::{
    LARGE, PATIENCE,
    allocator::{AllocatorModule, Intrinsic},
    error::{ConvertError, invalid},
    layout::{Arena, Heap, LARGEST, Layout, Word},
    pattern::{Growth, Via},
    realloc::Realloc,
};
use crate::splice::{Splice, call, instructions, memory};
use std::collections::BTreeMap;
use wasm_encoder::{BlockType, Function, Instruction as I, ValType};
use wasmparser::{FuncType, Operator};

/// As the code compares with it.
const MOST: i32 = LARGEST.cast_signed();

/// Where a v1 host says that an empty input lies (`spec/v1.md`).
const EMPTY_INPUT: i32 = 8;

const I32: wasmparser::ValType = wasmparser::ValType::I32;

/// The type of a function that is written.
#[derive(Clone, Debug)]
pub(super) enum Type {
    /// The first that is so, or a new one.
    Like(FuncType),
    /// The module's own of this index: one of its functions keeps it, though others may be alike.
    Number(u32),
}

impl Type {
    fn of(params: &[wasmparser::ValType], results: &[wasmparser::ValType]) -> Self {
        Self::Like(FuncType::new(params.iter().copied(), results.iter().copied()))
    }
}

/// A function behind the module's own, or in the place of one of those.
pub(super) struct Added {
    pub(super) ty: Type,
    pub(super) name: String,
    /// Locals and instructions; empty until it is written.
    pub(super) body: Vec<u8>,
}

/// The functions that a conversion adds, in the order of their indices.
pub(super) struct Glue<'a> {
    allocator: &'a AllocatorModule<'a>,
    layout: Layout,
    /// Index of the first added function.
    base: u32,
    pub(super) added: Vec<Added>,
    /// Functions that took the place of one of the module's own: its new index, what stands there now.
    pub(super) placed: BTreeMap<u32, Added>,
    /// Where the allocator's functions went.
    merged: BTreeMap<u32, u32>,
    pub(super) malloc: Option<u32>,
    pub(super) free: Option<u32>,
    pub(super) grows: Vec<(Via, Via, u32)>,
    pub(super) releases: Vec<(Via, u32)>,
    pub(super) copies: Vec<(u32, u32)>,
    /// The function that fetches the arena from the host.
    fetch: Option<u32>,
}

impl<'a> Glue<'a> {
    pub(super) fn new(allocator: &'a AllocatorModule<'a>, layout: Layout, base: u32) -> Self {
        Self {
            allocator,
            layout,
            base,
            added: Vec::new(),
            placed: BTreeMap::new(),
            merged: BTreeMap::new(),
            malloc: None,
            free: None,
            grows: Vec::new(),
            releases: Vec::new(),
            copies: Vec::new(),
            fetch: None,
        }
    }

    /// Adds a function whose body follows, behind the others.
    fn reserve(&mut self, name: &str, ty: Type) -> u32 {
        self.added.push(Added { ty, name: name.to_owned(), body: Vec::new() });
        self.base + self.added.len() as u32 - 1
    }

    /// Adds one of the module's own functions, of this type index, behind the others, where it keeps its name; its body follows.
    pub(super) fn move_here(&mut self, ty: u32) -> u32 {
        self.reserve("", Type::Number(ty))
    }

    /// Adds a function whose body follows, in the place of one of the module's own or behind the others.
    fn reserve_at(
        &mut self,
        slot: Option<u32>,
        name: &str,
        params: &[wasmparser::ValType],
        results: &[wasmparser::ValType],
    ) -> u32 {
        let ty = Type::of(params, results);
        let Some(slot) = slot else { return self.reserve(name, ty) };
        self.placed.insert(slot, Added { ty, name: name.to_owned(), body: Vec::new() });
        slot
    }

    /// Gives a function its body, locals and all.
    pub(super) fn fill_raw(&mut self, function: u32, body: Vec<u8>) {
        match self.placed.get_mut(&function) {
            Some(placed) => placed.body = body,
            None => self.added[(function - self.base) as usize].body = body,
        }
    }

    fn fill(&mut self, function: u32, body: Function) {
        self.fill_raw(function, body.into_raw_body());
    }

    fn add(
        &mut self,
        name: &str,
        params: &[wasmparser::ValType],
        results: &[wasmparser::ValType],
        locals: u32,
        code: &[I<'_>],
    ) -> u32 {
        let index = self.reserve(name, Type::of(params, results));
        let mut body = Function::new([(locals, ValType::I32)]);
        for instruction in code {
            body.instruction(instruction);
        }
        body.instruction(&I::End);
        self.fill(index, body);
        index
    }

    /// The new index of one of the allocator's functions, which is merged when it is first asked for.
    fn merge(&mut self, function: u32) -> Result<u32, ConvertError> {
        if let Some(index) = self.merged.get(&function) {
            return Ok(*index);
        }
        let allocator = self.allocator;
        let ty = &allocator.types[function as usize];
        let named = match function {
            f if f == allocator.alloc => "heapbase::alloc".to_owned(),
            f if f == allocator.free => "heapbase::dealloc".to_owned(),
            f if Some(f) == allocator.resize => "heapbase::resize".to_owned(),
            other => format!("heapbase::{other}"),
        };
        let index = self.reserve(&named, Type::Like(ty.clone()));
        self.merged.insert(function, index);
        self.merge_calls(function)?;
        let body = allocator.body(function);
        let range = body.range();
        let code = self.translate(function, range.start as usize..range.end as usize, None)?;
        self.fill_raw(index, code);
        Ok(index)
    }

    fn merge_calls(&mut self, function: u32) -> Result<(), ConvertError> {
        for called in self.allocator.calls(function) {
            if called as usize >= self.allocator.imports.len() {
                self.merge(called)?;
            }
        }
        Ok(())
    }

    /// Code of the allocator with its calls led to where they go; with `inline`, its returns lead to that many blocks further
    /// out than its own.
    fn translate(
        &self,
        function: u32,
        range: std::ops::Range<usize>,
        inline: Option<u32>,
    ) -> Result<Vec<u8>, ConvertError> {
        let mut code = Splice::new(self.allocator.wasm, range);
        let operators = self.allocator.body(function).get_operators_reader().map_err(|error| invalid(&error))?;
        let operators: Vec<_> =
            operators.into_iter_with_offsets().collect::<Result<_, _>>().map_err(|error| invalid(&error))?;
        let mut depth = inline.unwrap_or_default();
        for (place, (operator, offset)) in operators.iter().enumerate() {
            let start = *offset as usize;
            let end = operators.get(place + 1).map_or(start, |(_, next)| *next as usize);
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
                Operator::End => depth = depth.wrapping_sub(1),
                Operator::Return if inline.is_some() => code.replace(start..end, &instructions(&[I::Br(depth)])),
                Operator::Call { function_index } => {
                    let with = match self.allocator.imports.get(*function_index as usize) {
                        Some(intrinsic) => self.intrinsic(*intrinsic),
                        None => call(self.merged[function_index], &[]),
                    };
                    code.replace(start..end, &with);
                }
                _ => {}
            }
        }
        Ok(code.finish())
    }

    fn intrinsic(&self, intrinsic: Intrinsic) -> Vec<u8> {
        let constant = |value: u32| I::I32Const(value.cast_signed());
        instructions(&match (intrinsic, self.layout.heap) {
            (Intrinsic::State, Heap::Own { .. }) => vec![constant(self.layout.low)],
            (Intrinsic::End, Heap::Own { end }) => vec![constant(end)],
            (Intrinsic::Grow, Heap::Own { .. }) => vec![I::MemoryGrow(0)],
            (Intrinsic::State, Heap::Arena(arena)) => load(arena, Word::Start).to_vec(),
            (Intrinsic::End, Heap::Arena(arena)) => {
                [&load(arena, Word::Start)[..], &load(arena, Word::Length), &[I::I32Add]].concat()
            }
            (Intrinsic::Grow, Heap::Arena(_)) => vec![I::Drop, I::I32Const(-1)],
        })
    }

    /// Begins a function whose first locals are those of one of the allocator's functions, and whose last ones are `more`.
    /// Returns it with the number of the first of those, and the allocator's code, without its end.
    fn around(&mut self, function: u32, more: u32) -> Result<(Function, u32, Vec<u8>), ConvertError> {
        self.merge_calls(function)?;
        let allocator = self.allocator;
        let body = allocator.body(function);
        let mut first = allocator.types[function as usize].params().len() as u32;
        let mut locals = Vec::new();
        for local in body.get_locals_reader().map_err(|error| invalid(&error))? {
            let (count, ty) = local.map_err(|error| invalid(&error))?;
            first += count;
            locals.push((count, if ty == I32 { ValType::I32 } else { ValType::I64 }));
        }
        locals.push((more, ValType::I32));
        let start =
            body.get_binary_reader_for_operators().map_err(|error| invalid(&error))?.original_position() as usize;
        let code = self.translate(function, start..body.range().end as usize - 1, Some(0))?;
        Ok((Function::new(locals), first, code))
    }

    /// What `ext_allocator_malloc_version_1` becomes. `host` is the import, under local; `slot`
    /// is the function whose place it takes.
    pub(super) fn add_malloc(&mut self, host: Option<u32>, slot: Option<u32>) -> Result<u32, ConvertError> {
        let index = self.reserve_at(slot, "heapbase::malloc", &[I32], &[I32]);
        let near = match (self.layout.heap, host) {
            (Heap::Arena(arena), Some(host)) => Some((arena, self.fetch(arena, host))),
            _ => None,
        };
        let (mut body, first, code) = self.around(self.allocator.alloc, 2)?;
        let (size, scratch) = (first, first + 1);
        body.instruction(&I::LocalGet(0)).instruction(&I::LocalSet(size));
        body.instruction(&I::Block(BlockType::Empty));
        // What no arena can hold is the host's matter, which traps above 32 MiB; nor must sizes near 4 GiB reach an allocator,
        // which would round them up to 0.
        let most = match self.layout.heap {
            Heap::Own { .. } => MOST,
            Heap::Arena(arena) => (arena.most - self.layout.front).cast_signed(),
        };
        body.instruction(&I::LocalGet(0)).instruction(&I::I32Const(most)).instruction(&I::I32GtU);
        body.instruction(&I::BrIf(0));
        if let Some((arena, fetch)) = near {
            for instruction in near_or_arena(arena, self.layout.front, scratch, fetch) {
                body.instruction(&instruction);
            }
        }
        self.set(&mut body, 0, self.with_front(0));
        body.instruction(&I::Block(BlockType::Result(ValType::I32))).raw(code).instruction(&I::End);
        // The parameter is free to hold the result.
        body.instruction(&I::LocalTee(0)).instruction(&I::I32Eqz).instruction(&I::BrIf(0));
        for instruction in self.with_front(0) {
            body.instruction(&instruction);
        }
        body.instruction(&I::Return).instruction(&I::End);
        match host {
            Some(host) => body.instruction(&I::LocalGet(size)).instruction(&I::Call(host)),
            // A null would make a panic handler that formats with the allocator recurse.
            None => body.instruction(&I::Unreachable),
        };
        body.instruction(&I::End);
        self.fill(index, body);
        self.malloc = Some(index);
        Ok(index)
    }

    /// The function that asks the host for the arena and clears where the allocator's state goes: the host may hand out what
    /// was in use before.
    fn fetch(&mut self, arena: Arena, host: u32) -> u32 {
        if let Some(fetch) = self.fetch {
            return fetch;
        }
        let size = I::I32Const(arena.size.cast_signed());
        let put = |word: Word| I::I32Store(memory(arena.word(word), 2));
        let code = [
            I::I32Const(0),
            size.clone(),
            I::Call(host),
            I::LocalTee(0),
            put(Word::Start),
            // Legacy hosts trap instead; a runtime would recurse where it says that memory ran out.
            I::LocalGet(0),
            I::I32Eqz,
            I::If(BlockType::Empty),
            I::Unreachable,
            I::End,
            I::I32Const(0),
            size,
            put(Word::Length),
            I::LocalGet(0),
            I::I32Const(self.allocator.state_size.next_multiple_of(8).cast_signed()),
            I::I32Add,
            I::LocalSet(1),
            I::Loop(BlockType::Empty),
            I::LocalGet(0),
            I::I64Const(0),
            I::I64Store(memory(0, 3)),
            I::LocalGet(0),
            I::I32Const(8),
            I::I32Add,
            I::LocalTee(0),
            I::LocalGet(1),
            I::I32LtU,
            I::BrIf(0),
            I::End,
        ];
        let index = self.add("heapbase::fetch_arena", &[], &[], 2, &code);
        self.fetch = Some(index);
        index
    }

    /// What `ext_allocator_free_version_1` becomes. `host` is the import, under local; `slot`
    /// is the function whose place it takes.
    pub(super) fn add_free(&mut self, host: Option<u32>, slot: Option<u32>) -> Result<u32, ConvertError> {
        let index = self.reserve_at(slot, "heapbase::free", &[I32], &[]);
        let (mut body, _, code) = self.around(self.allocator.free, 0)?;
        for instruction in self.is_allocators(0) {
            body.instruction(&instruction);
        }
        body.instruction(&I::I32Eqz).instruction(&I::If(BlockType::Empty));
        if let Heap::Arena(arena) = self.layout.heap {
            for instruction in free_near(arena, self.layout.front) {
                body.instruction(&instruction);
            }
        }
        match host {
            Some(host) => body.instruction(&I::LocalGet(0)).instruction(&I::Call(host)).instruction(&I::Return),
            // Nothing below the heap is a block. A v1 host hands an empty input over at that address; under legacy it was a
            // block, which the runtime may give back.
            None => body
                .instruction(&I::LocalGet(0))
                .instruction(&I::I32Const(EMPTY_INPUT))
                .instruction(&I::I32Eq)
                .instruction(&I::If(BlockType::Empty))
                .instruction(&I::Return)
                .instruction(&I::End)
                .instruction(&I::Unreachable),
        };
        body.instruction(&I::End);
        self.set(&mut body, 0, self.without_front(0));
        body.instruction(&I::Block(BlockType::Empty)).raw(code).instruction(&I::End).instruction(&I::End);
        self.fill(index, body);
        self.free = Some(index);
        Ok(index)
    }

    /// What is in a local, and what is in front of a block more: the size that the allocator is asked for, or the runtime's address
    /// of a block of the allocator's.
    fn with_front(&self, local: u32) -> Vec<I<'static>> {
        self.moved_by_front(local, &I::I32Add)
    }

    /// The other way: the address that the allocator knows a block by, from the runtime's.
    fn without_front(&self, local: u32) -> Vec<I<'static>> {
        self.moved_by_front(local, &I::I32Sub)
    }

    fn moved_by_front(&self, local: u32, operator: &I<'static>) -> Vec<I<'static>> {
        match self.layout.front.cast_signed() {
            0 => vec![I::LocalGet(local)],
            front => vec![I::LocalGet(local), I::I32Const(front), operator.clone()],
        }
    }

    /// Sets a local to what the code makes of it where blocks have a front; elsewhere that is what it holds.
    fn set(&self, body: &mut Function, local: u32, moved: Vec<I<'static>>) {
        if self.layout.front > 0 {
            for instruction in moved {
                body.instruction(&instruction);
            }
            body.instruction(&I::LocalSet(local));
        }
    }

    /// Whether the runtime's address in a local is that of a block of the allocator's.
    fn is_allocators(&self, local: u32) -> Vec<I<'static>> {
        match self.layout.heap {
            Heap::Own { .. } => {
                vec![I::LocalGet(local), I::I32Const(self.layout.low.cast_signed()), I::I32GeU]
            }
            Heap::Arena(arena) => {
                let start = load(arena, Word::Start);
                [&self.without_front(local)[..], &start, &[I::I32Sub], &load(arena, Word::Length), &[I::I32LtU]]
                    .concat()
            }
        }
    }

    /// The functions that v1 exports, by name.
    pub(super) fn add_exports(&mut self) -> Result<Vec<(&'static str, u32)>, ConvertError> {
        // What was `free` does for both; what was `malloc` does not, since it traps where this returns 0.
        let free = self.free.map_or_else(|| self.merge(self.allocator.free), Ok)?;
        let resize = self.allocator.resize.map(|resize| self.merge(resize)).transpose()?;
        let marker = self.add("v1", &[], &[], 0, &[]);
        let alloc = self.reserve("alloc", Type::of(&[I32], &[I32]));
        let (mut body, _, code) = self.around(self.allocator.alloc, 0)?;
        body.instruction(&I::Block(BlockType::Empty));
        body.instruction(&I::LocalGet(0)).instruction(&I::I32Const(MOST)).instruction(&I::I32GtU);
        body.instruction(&I::BrIf(0));
        self.set(&mut body, 0, self.with_front(0));
        body.instruction(&I::Block(BlockType::Result(ValType::I32))).raw(code).instruction(&I::End);
        if self.layout.front > 0 {
            // Nothing is in front of a block of the host's: the runtime reads there that it was not moved.
            body.instruction(&I::LocalTee(0)).instruction(&I::I32Eqz).instruction(&I::BrIf(0));
            body.instruction(&I::LocalGet(0)).instruction(&I::I64Const(0)).instruction(&I::I64Store(memory(0, 3)));
            for instruction in self.with_front(0) {
                body.instruction(&instruction);
            }
        }
        body.instruction(&I::Return).instruction(&I::End);
        body.instruction(&I::I32Const(0)).instruction(&I::End);
        self.fill(alloc, body);
        let dealloc = self.add(
            "dealloc",
            &[I32, I32],
            &[],
            0,
            &[I::LocalGet(0), I::I32Eqz, I::If(BlockType::Empty), I::Return, I::End, I::LocalGet(0), I::Call(free)],
        );
        let mut code =
            vec![I::LocalGet(0), I::I32Eqz, I::If(BlockType::Empty), I::LocalGet(2), I::Call(alloc), I::Return, I::End];
        if let Some(resize) = resize {
            code.extend([I::LocalGet(2), I::I32Const(MOST), I::I32LeU, I::If(BlockType::Empty)]);
            code.extend(self.without_front(0));
            code.extend(self.with_front(2));
            code.extend([I::Call(resize), I::If(BlockType::Empty), I::LocalGet(0), I::Return, I::End, I::End]);
        }
        // Locals: 3 the new block, 4 what is left to copy, from the end.
        code.extend([I::LocalGet(2), I::Call(alloc), I::LocalTee(3), I::If(BlockType::Empty)]);
        code.extend([
            I::LocalGet(1),
            I::LocalGet(2),
            I::LocalGet(1),
            I::LocalGet(2),
            I::I32LtU,
            I::Select,
            I::LocalSet(4),
        ]);
        for (width, load, store) in [
            (8, I::I64Load(memory(0, 0)), I::I64Store(memory(0, 0))),
            (1, I::I32Load8U(memory(0, 0)), I::I32Store8(memory(0, 0))),
        ] {
            code.extend([
                I::Block(BlockType::Empty),
                I::Loop(BlockType::Empty),
                I::LocalGet(4),
                I::I32Const(width),
                I::I32LtU,
                I::BrIf(1),
                I::LocalGet(4),
                I::I32Const(width),
                I::I32Sub,
                I::LocalSet(4),
                I::LocalGet(3),
                I::LocalGet(4),
                I::I32Add,
                I::LocalGet(0),
                I::LocalGet(4),
                I::I32Add,
                load,
                store,
                I::Br(0),
                I::End,
                I::End,
            ]);
        }
        code.extend([I::LocalGet(0), I::Call(free), I::End, I::LocalGet(3)]);
        let realloc = self.add("realloc", &[I32, I32, I32], &[I32], 2, &code);
        Ok(vec![("v1", marker), ("alloc", alloc), ("dealloc", dealloc), ("realloc", realloc)])
    }

    /// The functions that serve a growth of the runtime's own in place: grow, copy, release. `None` where the allocator
    /// cannot resize. `places` are those of the shims in table 0.
    pub(super) fn growth(
        &mut self,
        growth: &Growth,
        copy: u32,
        places: (Option<u32>, Option<u32>),
    ) -> Result<Option<[u32; 3]>, ConvertError> {
        let (Some(resize), Some(malloc), Some(free)) = (self.allocator.resize, self.malloc, self.free) else {
            return Ok(None);
        };
        let grow = match self.grows.iter().find(|(via, freed, _)| *via == growth.malloc && *freed == growth.free) {
            Some((.., index)) => *index,
            None => {
                let resize = self.merge(resize)?;
                let index = self.add_grow(resize, malloc, growth, places);
                self.grows.push((growth.malloc, growth.free, index));
                index
            }
        };
        let copying = match self.copies.iter().find(|(original, _)| *original == copy) {
            Some((_, index)) => *index,
            None => {
                let same = [
                    I::LocalGet(0),
                    I::LocalGet(1),
                    I::I32Eq,
                    I::If(BlockType::Empty),
                    I::LocalGet(0),
                    I::Return,
                    I::End,
                ];
                let moved = [I::LocalGet(0), I::LocalGet(1), I::LocalGet(2), I::Call(copy)];
                let index = self.add("heapbase::copy_if_moved", &[I32; 3], &[I32], 0, &[&same[..], &moved].concat());
                self.copies.push((copy, index));
                index
            }
        };
        let release = match self.releases.iter().find(|(via, _)| *via == growth.free) {
            Some((_, index)) => *index,
            None => {
                let same = [I::LocalGet(0), I::LocalGet(1), I::I32Eq, I::If(BlockType::Empty), I::Return, I::End];
                let moved = called(growth.free, free);
                let code = [&same[..], &[I::LocalGet(0)], &moved].concat();
                let index = self.add("heapbase::free_if_moved", &[I32; 2], &[], 0, &code);
                self.releases.push((growth.free, index));
                index
            }
        };
        Ok(Some([grow, copying, release]))
    }

    /// What takes the place of a function that resizes blocks, and where that one, of type index `ty`, goes. `None` where the
    /// allocator cannot resize. `places` are those of the shims in table 0.
    pub(super) fn resizing_first(
        &mut self,
        realloc: &Realloc,
        ty: u32,
        places: (Option<u32>, Option<u32>),
    ) -> Result<Option<(u32, Added)>, ConvertError> {
        let (Some(resize), Some(_), Some(_)) = (self.allocator.resize, self.malloc, self.free) else { return Ok(None) };
        let resize = self.merge(resize)?;
        let mut code = self.in_place(resize, (realloc.malloc, realloc.free), places);
        code.extend([I::End, I::I32Const(0)]);
        let in_place = self.add("heapbase::grow_or_null", &[I32; 2], &[I32], 1, &code);
        let original = self.move_here(ty);
        let mut body = Function::new([]);
        body.instruction(&I::Block(BlockType::Empty));
        body.instruction(&I::LocalGet(2)).instruction(&I::I32Const(8)).instruction(&I::I32GtU).instruction(&I::BrIf(0));
        if self.layout.front > 0 {
            // A block that was moved to be aligned is not where the allocator has it.
            for instruction in [I::LocalGet(0), I::I32Const(2), I::I32Sub, I::I32Load16U(memory(0, 0)), I::BrIf(0)] {
                body.instruction(&instruction);
            }
        }
        for instruction in [I::LocalGet(3), I::LocalGet(0), I::Call(in_place), I::I32Eqz, I::BrIf(0)] {
            body.instruction(&instruction);
        }
        body.instruction(&I::LocalGet(0)).instruction(&I::Return).instruction(&I::End);
        (0..4).for_each(|local| {
            body.instruction(&I::LocalGet(local));
        });
        body.instruction(&I::Call(original)).instruction(&I::End);
        let added = Added { ty: Type::Number(ty), name: "heapbase::realloc".to_owned(), body: body.into_raw_body() };
        Ok(Some((original, added)))
    }

    /// `(size, old) -> block`: the old block if it could be resized, otherwise a new one.
    fn add_grow(&mut self, resize: u32, malloc: u32, growth: &Growth, places: (Option<u32>, Option<u32>)) -> u32 {
        let mut code = self.in_place(resize, (growth.malloc, growth.free), places);
        code.extend([I::End, I::LocalGet(0)]);
        code.extend(called(growth.malloc, malloc));
        self.add("heapbase::grow_or_malloc", &[I32; 2], &[I32], 1, &code)
    }

    /// Returns the block in local 1 if it could be given the size in local 0; otherwise leaves the block that it begins. Local 2
    /// is of no value.
    fn in_place(&self, resize: u32, vias: (Via, Via), places: (Option<u32>, Option<u32>)) -> Vec<I<'static>> {
        let mut code = vec![I::Block(BlockType::Empty), I::LocalGet(0), I::I32Const(MOST), I::I32GtU, I::BrIf(0)];
        // The static pointers still lead to the allocator.
        for (via, place) in [(vias.0, places.0), (vias.1, places.1)] {
            if let (Via::Pointer { pointer, .. }, Some(place)) = (via, place) {
                code.extend([
                    I::I32Const(0),
                    I::I32Load(memory(pointer, 2)),
                    I::I32Const(place.cast_signed()),
                    I::I32Ne,
                    I::BrIf(0),
                ]);
            }
        }
        code.extend(self.is_allocators(1));
        code.extend([I::If(BlockType::Empty)]);
        code.extend(self.without_front(1));
        code.extend(self.with_front(0));
        code.extend([I::Call(resize), I::I32Eqz, I::BrIf(1), I::LocalGet(1), I::Return, I::End]);
        if let Heap::Arena(arena) = self.layout.heap {
            code.extend(grow_near(arena, self.layout.front));
        }
        code
    }
}

/// The value of one of an arena's words.
fn load(arena: Arena, word: Word) -> [I<'static>; 2] {
    [I::I32Const(0), I::I32Load(memory(arena.word(word), 2))]
}

/// The size in local 0, and what is in front, in whole units of 8 bytes, an empty block's too: it has an address of its own. No
/// overflow below 32 MiB.
fn units(front: u32) -> Vec<I<'static>> {
    let size = match front {
        0 => vec![I::LocalGet(0), I::I32Const(1), I::LocalGet(0), I::Select],
        _ => vec![I::LocalGet(0)],
    };
    [&size[..], &[I::I32Const(front.cast_signed() + 7), I::I32Add, I::I32Const(-8), I::I32And]].concat()
}

/// Returns a block of near memory of as many bytes as local 0 says, if there is one; otherwise leaves the block around for the
/// host, or sees to it that there is an arena. `scratch` is a local of no value.
fn near_or_arena(arena: Arena, front: u32, scratch: u32, fetch: u32) -> Vec<I<'static>> {
    let mut code = units(front);
    code.extend([I::LocalTee(scratch), I::I32Const(arena.near_len.cast_signed())]);
    code.extend(load(arena, Word::Used));
    code.extend([I::I32Sub, I::I32LeU, I::If(BlockType::Empty)]);
    code.extend([I::I32Const(0), first_near(arena, front)]);
    code.extend(load(arena, Word::Used));
    code.extend([I::I32Add, I::LocalTee(0), I::I32Store(memory(arena.word(Word::Last), 2)), I::I32Const(0)]);
    code.extend(load(arena, Word::Used));
    code.extend([I::LocalGet(scratch), I::I32Add, I::I32Store(memory(arena.word(Word::Used), 2))]);
    code.extend([I::LocalGet(0), I::Return, I::End]);
    code.extend(load(arena, Word::Length));
    code.extend([I::I32Eqz, I::If(BlockType::Empty)]);
    code.extend(load(arena, Word::Start));
    code.extend([I::LocalTee(scratch), I::I32Const(PATIENCE.cast_signed()), I::I32LtU]);
    code.extend([I::LocalGet(0), I::I32Const(LARGE.cast_signed()), I::I32LeU, I::I32And, I::If(BlockType::Empty)]);
    code.extend([I::I32Const(0), I::LocalGet(scratch), I::I32Const(1), I::I32Add]);
    code.extend([I::I32Store(memory(arena.word(Word::Start), 2)), I::Br(2), I::End, I::Call(fetch), I::End]);
    code
}

/// The runtime's address of near memory's first block.
fn first_near(arena: Arena, front: u32) -> I<'static> {
    I::I32Const((arena.near() + front).cast_signed())
}

/// Returns if the address in local 0 is that of near memory; the last block there is taken back, others stay as they are.
fn free_near(arena: Arena, front: u32) -> Vec<I<'static>> {
    let first = first_near(arena, front);
    let mut code = vec![I::LocalGet(0), first.clone(), I::I32Sub, I::I32Const(arena.near_len.cast_signed())];
    code.extend([I::I32LtU, I::If(BlockType::Empty), I::LocalGet(0)]);
    code.extend(load(arena, Word::Last));
    code.extend([I::I32Eq, I::If(BlockType::Empty)]);
    code.extend([I::I32Const(0), I::LocalGet(0), first, I::I32Sub]);
    code.extend([I::I32Store(memory(arena.word(Word::Used), 2)), I::End, I::Return, I::End]);
    code
}

/// Returns the address in local 1 if it is that of the last block of near memory, and that could be given the size in local 0.
/// Local 2 is of no value.
fn grow_near(arena: Arena, front: u32) -> Vec<I<'static>> {
    let mut code = vec![I::LocalGet(1)];
    code.extend(load(arena, Word::Last));
    code.extend([I::I32Eq, I::If(BlockType::Empty)]);
    code.extend(units(front));
    code.extend([I::LocalGet(1), first_near(arena, front), I::I32Sub, I::I32Add, I::LocalTee(2)]);
    code.extend([I::I32Const(arena.near_len.cast_signed()), I::I32LeU, I::If(BlockType::Empty)]);
    code.extend([I::I32Const(0), I::LocalGet(2), I::I32Store(memory(arena.word(Word::Used), 2))]);
    code.extend([I::LocalGet(1), I::Return, I::End, I::End]);
    code
}

/// The call of an allocator's function as the runtime makes it.
fn called(via: Via, direct: u32) -> Vec<I<'static>> {
    match via {
        Via::Direct => vec![I::Call(direct)],
        Via::Pointer { pointer, ty } => {
            vec![I::I32Const(0), I::I32Load(memory(pointer, 2)), I::CallIndirect { type_index: ty, table_index: 0 }]
        }
    }
}
