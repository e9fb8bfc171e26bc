//! The runtime's own `memcpy`, `memmove` and `memset`, which get quicker bodies.
//!
//! WebAssembly 1.0, all that nodes accept, has no instruction that copies memory, and what compilers link instead moves 4 bytes a
//! step: a quarter to a third of `Metadata_metadata` once the heap is inside. These move 32 bytes a step:
//!
//! ```text
//! while n >= 32 { move four words of 8 bytes, all loaded before the first is stored }
//! while n >= 8  { move one word }
//! move 4, 2 and 1 bytes as the bits of n say
//! ```
//!
//! `memmove` does so from the end where the ranges overlap that way.
//!
//! Which functions those are, the name section says; whether it is true is tried out: the function, with what it calls, is
//! executed alone on a few hundred cases of every small length and alignment, and every byte of memory and the result have to
//! be what the C standard says. What calls anything that does more than load and store cannot even be built alone. The original
//! moves behind the runtime's other functions, so that the conversion can be taken back.

use super::survey::Survey;
use crate::splice::{Splice, call, memory};
use std::collections::BTreeMap;
use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, Instruction as I, MemorySection,
    MemoryType, TypeSection, ValType,
};
use wasmparser::Operator;

/// A function of the C library that every runtime has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routine {
    Copy,
    Move,
    Set,
}

impl Routine {
    /// The one with this name in C.
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "memcpy" => Some(Self::Copy),
            "memmove" => Some(Self::Move),
            "memset" => Some(Self::Set),
            _ => None,
        }
    }

    /// The name of the function that takes its place.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Copy => "heapbase::memcpy",
            Self::Move => "heapbase::memmove",
            Self::Set => "heapbase::memset",
        }
    }

    /// Its quicker body.
    pub(super) fn body(self) -> Vec<u8> {
        let (locals, code): (&[(u32, ValType)], _) = match self {
            Self::Copy => (&[(1, ValType::I32)], forward(&Self::copies())),
            Self::Move => (&[(1, ValType::I32)], [backward(), forward(&Self::copies())].concat()),
            Self::Set => (&[(1, ValType::I32), (1, ValType::I64)], [spread(), forward(&Self::sets())].concat()),
        };
        let mut body = Function::new(locals.iter().copied());
        for instruction in code.iter().chain(&[I::LocalGet(0), I::End]) {
            body.instruction(instruction);
        }
        body.into_raw_body()
    }

    /// One step of copying, for each width.
    fn copies() -> Steps {
        let step = |width: u32| {
            let (load, store) = access(width, 0);
            vec![I::LocalGet(AT), I::LocalGet(1), load, store]
        };
        Steps { four: copy_four(AT, 1), one: [8, 4, 2, 1].map(step), source: true }
    }

    /// One step of filling, for each width.
    fn sets() -> Steps {
        let value = |width: u32| if width == 8 { vec![I::LocalGet(WORD)] } else { vec![I::LocalGet(1)] };
        let step = |width: u32| [vec![I::LocalGet(AT)], value(width), vec![access(width, 0).1]].concat();
        let four = [0, 8, 16, 24].map(|at| vec![I::LocalGet(AT), I::LocalGet(WORD), access(8, at).1]).concat();
        Steps { four, one: [8, 4, 2, 1].map(step), source: false }
    }
}

/// The local behind the parameters: where the next byte goes.
const AT: u32 = 3;
/// The local behind that: eight bytes of what `memset` writes.
const WORD: u32 = 4;
/// Bytes of a large step.
const FOUR: i32 = 32;

/// The steps of a loop over memory.
struct Steps {
    four: Vec<I<'static>>,
    /// Of 8, 4, 2 and 1 bytes.
    one: [Vec<I<'static>>; 4],
    /// Whether local 1 is an address, too.
    source: bool,
}

/// The load and the store of so many bytes, so far from their address.
fn access(width: u32, at: u32) -> (I<'static>, I<'static>) {
    let at = memory(at, 0);
    match width {
        8 => (I::I64Load(at), I::I64Store(at)),
        4 => (I::I32Load(at), I::I32Store(at)),
        2 => (I::I32Load16U(at), I::I32Store16(at)),
        _ => (I::I32Load8U(at), I::I32Store8(at)),
    }
}

/// Four words from one address to another; all are loaded before the first is stored, so that the ranges may overlap.
fn copy_four(to: u32, from: u32) -> Vec<I<'static>> {
    let loads = [0, 8, 16, 24].map(|at| [I::LocalGet(to), I::LocalGet(from), access(8, at).0]).concat();
    let stores = [24, 16, 8, 0].map(|at| access(8, at).1);
    [loads, stores.to_vec()].concat()
}

/// `local += by`, or less.
fn advance(local: u32, by: i32) -> [I<'static>; 4] {
    [I::LocalGet(local), I::I32Const(by), I::I32Add, I::LocalSet(local)]
}

/// From the first byte to the last. Local 2 is the number of bytes.
fn forward(steps: &Steps) -> Vec<I<'static>> {
    let on = |by: i32| {
        let source = if steps.source { advance(1, by).to_vec() } else { Vec::new() };
        [advance(AT, by).to_vec(), source].concat()
    };
    let mut code = vec![I::LocalGet(0), I::LocalSet(AT)];
    for (width, step) in [(FOUR, &steps.four), (8, &steps.one[0])] {
        code.extend([
            I::LocalGet(2),
            I::I32Const(width),
            I::I32GeU,
            I::If(BlockType::Empty),
            I::Loop(BlockType::Empty),
        ]);
        code.extend(step.iter().cloned().chain(on(width)));
        code.extend([I::LocalGet(2), I::I32Const(width), I::I32Sub, I::LocalTee(2)]);
        code.extend([I::I32Const(width), I::I32GeU, I::BrIf(0), I::End, I::End]);
    }
    for (width, step) in [4, 2, 1].into_iter().zip(&steps.one[1..]) {
        code.extend([I::LocalGet(2), I::I32Const(width), I::I32And, I::If(BlockType::Empty)]);
        code.extend(step.iter().cloned());
        code.extend(if width == 1 { Vec::new() } else { on(width) });
        code.push(I::End);
    }
    code
}

/// From the last byte to the first, and out, if the second range begins below the first one and reaches into it.
fn backward() -> Vec<I<'static>> {
    let back = |by: i32| [advance(0, -by), advance(1, -by)].concat();
    let mut code = vec![I::LocalGet(0), I::LocalGet(1), I::I32Sub, I::LocalGet(2), I::I32LtU, I::If(BlockType::Empty)];
    for end in [0, 1] {
        code.extend([I::LocalGet(end), I::LocalGet(2), I::I32Add, I::LocalSet(end)]);
    }
    let one = |width: u32| {
        let (load, store) = access(width, 0);
        vec![I::LocalGet(0), I::LocalGet(1), load, store]
    };
    for (width, step) in [(FOUR, copy_four(0, 1)), (8, one(8))] {
        code.extend([
            I::LocalGet(2),
            I::I32Const(width),
            I::I32GeU,
            I::If(BlockType::Empty),
            I::Loop(BlockType::Empty),
        ]);
        code.extend(back(width).into_iter().chain(step));
        code.extend([I::LocalGet(2), I::I32Const(width), I::I32Sub, I::LocalTee(2)]);
        code.extend([I::I32Const(width), I::I32GeU, I::BrIf(0), I::End, I::End]);
    }
    for width in [4, 2, 1] {
        code.extend([I::LocalGet(2), I::I32Const(width), I::I32And, I::If(BlockType::Empty)]);
        code.extend(back(width).into_iter().chain(one(width.cast_unsigned())));
        code.push(I::End);
    }
    // Both ends have come back to the beginnings.
    code.extend([I::LocalGet(0), I::Return, I::End]);
    code
}

/// The byte in local 1, in each byte of it and of the word.
fn spread() -> Vec<I<'static>> {
    let mut code = vec![I::LocalGet(1), I::I32Const(0xff), I::I32And, I::I32Const(0x0101_0101), I::I32Mul];
    code.extend([I::LocalTee(1), I::I64ExtendI32U, I::LocalTee(WORD), I::LocalGet(WORD), I::I64Const(32), I::I64Shl]);
    code.extend([I::I64Or, I::LocalSet(WORD)]);
    code
}

/// The functions of a runtime that are what their names say.
pub(super) fn routines(survey: &Survey<'_>) -> Vec<(u32, Routine)> {
    let Some(names) = survey.custom("name") else { return Vec::new() };
    let reader = wasmparser::NameSectionReader::new(wasmparser::BinaryReader::new(names, 0));
    let mut found = BTreeMap::new();
    for subsection in reader {
        let Ok(wasmparser::Name::Function(names)) = subsection else { continue };
        for naming in names.into_iter().map_while(Result::ok) {
            // Trying out takes time: a module that names everything `memcpy` is none that a compiler made.
            if let Some(routine) = Routine::from_name(naming.name).filter(|_| found.len() < MOST) {
                found.entry(naming.index).or_insert(routine);
            }
        }
    }
    found.retain(|function, routine| alone(survey, *function).is_some_and(|module| trial::passes(&module, *routine)));
    found.into_iter().collect()
}

/// So many functions at most are tried out.
const MOST: usize = 6;
/// So many functions at most make up one of them, and so many bytes of code.
const MOST_PARTS: usize = 4;
const MOST_CODE: usize = 16 * 1024;

/// A module of this function and what it calls, with a memory of one page and nothing else. `None` where something is called
/// that is not in the module, or where too much is.
fn alone(survey: &Survey<'_>, function: u32) -> Option<Vec<u8>> {
    let mut parts = vec![function];
    let mut bodies = Vec::new();
    let mut place = 0;
    while let Some(part) = parts.get(place).copied() {
        let body = survey.body(part)?;
        let range = body.range();
        let mut code = Splice::new(survey.wasm, range.start as usize..range.end as usize);
        let operators =
            body.get_operators_reader().ok()?.into_iter_with_offsets().collect::<Result<Vec<_>, _>>().ok()?;
        for pair in operators.windows(2) {
            if let (Operator::Call { function_index }, start) = pair[0] {
                let at = parts.iter().position(|part| *part == function_index).unwrap_or_else(|| {
                    parts.push(function_index);
                    parts.len() - 1
                });
                code.replace(start as usize..pair[1].1 as usize, &call(at as u32, &[]));
            }
        }
        bodies.push(code.finish());
        place += 1;
        if parts.len() > MOST_PARTS || bodies.iter().map(Vec::len).sum::<usize>() > MOST_CODE {
            return None;
        }
    }
    let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    for (index, (part, body)) in (0..).zip(parts.iter().zip(&bodies)) {
        let ty = survey.function_type(*part)?;
        let values = |types: &[wasmparser::ValType]| {
            let of = |ty: &wasmparser::ValType| match *ty {
                wasmparser::ValType::I32 => Some(ValType::I32),
                wasmparser::ValType::I64 => Some(ValType::I64),
                _ => None,
            };
            types.iter().map(of).collect::<Option<Vec<_>>>()
        };
        types.ty().function(values(ty.params())?, values(ty.results())?);
        functions.function(index);
        code.raw(body);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: Some(1), memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0).export("routine", ExportKind::Func, 0);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    Some(module.finish())
}

/// Executes a function and looks at what it does.
mod trial {
    use super::Routine;
    use wasmi::{Config, Engine, Linker, Memory, Module, Store, TypedFunc};

    /// Where the ranges lie, in the one page that there is.
    const TO: u32 = 1024;
    const FROM: u32 = 4096;
    /// What is compared after each case; the rest once, at the end.
    const WINDOW: usize = 8192;
    /// What a call may cost; a thousand bytes cost a tenth of it.
    const FUEL: u64 = 100_000;

    /// Whether the module's function does on every case what it should.
    pub(super) fn passes(module: &[u8], routine: Routine) -> bool {
        Subject::new(module)
            .is_some_and(|mut subject| cases(routine).all(|case| subject.does(routine, case)) && subject.is_whole())
    }

    /// First address, second address or value, length.
    type Case = (u32, u32, u32);

    fn cases(routine: Routine) -> impl Iterator<Item = Case> {
        let short = (0..=40).chain([47, 63, 64, 65, 100, 127, 128, 129]);
        let long = [255_u32, 256, 257, 1000];
        let apart = move |n: u32| (0..4).map(move |turn| (TO + n * 3 % 8 + turn, FROM + n % 8 + turn * 3 % 8, n));
        let over = move |n: u32| {
            let by = [1, 2, 3, 5, 8, 9, 17, 31, 32, 33, 64];
            by.into_iter().flat_map(move |by| [(FROM + by, FROM + n % 4, n), (FROM + n % 4, FROM + by, n)])
        };
        let values = move |n: u32| [0, 1, 0x80, 0xff, 0xffff_ff7f].into_iter().map(move |value| (TO + n % 8, value, n));
        let lengths = short.chain(long);
        lengths.flat_map(move |n| match routine {
            Routine::Copy => apart(n).chain([(FROM, FROM, n)]).collect::<Vec<_>>(),
            Routine::Move => apart(n).chain(over(n)).collect(),
            Routine::Set => values(n).collect(),
        })
    }

    struct Subject {
        store: Store<()>,
        memory: Memory,
        routine: TypedFunc<(u32, u32, u32), u32>,
        fresh: Vec<u8>,
    }

    impl Subject {
        fn new(module: &[u8]) -> Option<Self> {
            let mut config = Config::default();
            config.consume_fuel(true);
            let engine = Engine::new(&config);
            let module = Module::new(&engine, module).ok()?;
            let mut store = Store::new(&engine, ());
            let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).ok()?;
            let memory = instance.get_memory(&store, "memory")?;
            let routine = instance.get_typed_func(&store, "routine").ok()?;
            // Bytes of which no two neighbours, and no two stretches, are alike.
            let size = memory.data_size(&store) as u32;
            let fresh: Vec<u8> = (0..size).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            memory.write(&mut store, 0, &fresh).ok()?;
            Some(Self { store, memory, routine, fresh })
        }

        fn does(&mut self, routine: Routine, (to, second, n): Case) -> bool {
            let range = |start: u32| start as usize..(start + n) as usize;
            let mut expected = self.fresh[..WINDOW].to_vec();
            match routine {
                Routine::Copy | Routine::Move => expected.copy_within(range(second), to as usize),
                Routine::Set => expected[range(to)].fill(second as u8),
            }
            self.memory.data_mut(&mut self.store)[..WINDOW].copy_from_slice(&self.fresh[..WINDOW]);
            let called = self.store.set_fuel(FUEL).and_then(|()| self.routine.call(&mut self.store, (to, second, n)));
            matches!(called, Ok(result) if result == to) && self.memory.data(&self.store)[..WINDOW] == expected
        }

        /// Whether nothing was written outside the window.
        fn is_whole(&self) -> bool {
            self.memory.data(&self.store)[WINDOW..] == self.fresh[WINDOW..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_bodies_pass_the_trial() {
        for routine in [Routine::Copy, Routine::Move, Routine::Set] {
            assert!(trial::passes(&module_of(&routine.body()), routine), "{routine:?}");
        }
        // A copy is no move, and neither is it a filling.
        assert!(!trial::passes(&module_of(&Routine::Copy.body()), Routine::Move));
        assert!(!trial::passes(&module_of(&Routine::Move.body()), Routine::Set));
        assert!(trial::passes(&module_of(&Routine::Move.body()), Routine::Copy));
    }

    /// A module of one such function.
    fn module_of(body: &[u8]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32; 3], [ValType::I32]);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut memories = MemorySection::new();
        let one = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        memories.memory(one);
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0).export("routine", ExportKind::Func, 0);
        let mut code = CodeSection::new();
        code.raw(body);
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
        module.finish()
    }
}
