//! The compiler's routines in a runtime that are slow, which get quicker bodies: `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`,
//! `__multi3`.
//!
//! WebAssembly 1.0, all that nodes accept, has no instruction that copies memory, and what compilers link instead moves 1 or 4
//! bytes a step: a quarter to a third of `Metadata_metadata` once the heap is inside. These move 32 bytes a step, and what is no
//! multiple of anything by two moves that overlap:
//!
//! ```text
//! if n < 16: move the first and the last 8 bytes, or 4, or 2, or the one
//! otherwise: load the last 16 bytes
//!            while 48 or more are left: move 32
//!            while more than 16 are left: move 16
//!            store the last 16 bytes
//! ```
//!
//! A step loads everything before it stores anything, so ranges may overlap. `memmove` goes from the end to the beginning where they
//! overlap that way, and otherwise calls `memcpy`; comparing skips what is equal 8 bytes a step.
//! `__multi3`, which multiplies numbers of 128 bits, was linked without optimisation by some compilers, a function call for each
//! operator: two thirds of the time of Polkadot's block 1. Where it calls something, it gets its four multiplications.
//!
//! Which functions those are, the name section says; whether it is true is tried out: the function, with what it calls, is
//! executed alone on a few hundred cases of every small length and alignment, and every byte of memory and the result have to
//! be what the C standard says, and globals what they were. What calls anything that does more than load and store cannot even
//! be built alone. What is called `memcpy` and moves ranges that overlap as `memmove` has to, becomes one that does. The original
//! moves behind the runtime's other functions, so that the conversion can be taken back.

use super::{custom, survey::Survey};
use crate::splice::{Splice, call, memory};
use std::collections::BTreeMap;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    Instruction as I, TypeSection, ValType,
};
use wasmparser::Operator;

/// A function of the C library that every runtime has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routine {
    Copy,
    Move,
    Set,
    Compare,
    Multiply,
}

impl Routine {
    /// The one with this name in C.
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "memcpy" => Some(Self::Copy),
            "memmove" => Some(Self::Move),
            "memset" => Some(Self::Set),
            "memcmp" | "bcmp" => Some(Self::Compare),
            "__multi3" => Some(Self::Multiply),
            _ => None,
        }
    }

    /// The name of the function that takes its place.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Copy => "heapbase::memcpy",
            Self::Move => "heapbase::memmove",
            Self::Set => "heapbase::memset",
            Self::Compare => "heapbase::memcmp",
            Self::Multiply => "heapbase::multi3",
        }
    }

    /// Whether it copies bytes that lie apart, and does nothing else.
    pub(super) const fn copies(self) -> bool {
        matches!(self, Self::Copy | Self::Move)
    }

    /// Its quicker body. `copy` is the function that [`Self::Copy`] became, if there is one.
    pub(super) fn body(self, copy: Option<u32>) -> Vec<u8> {
        let copying: &[(u32, ValType)] = &[(1, ValType::I32), (2, ValType::I64)];
        let (locals, code) = match self {
            Self::Copy => (copying, copying_forward()),
            Self::Move => match copy {
                // The same code a second time would be most of what it takes.
                Some(copy) => (
                    copying,
                    [backward(), vec![I::LocalGet(0), I::LocalGet(1), I::LocalGet(2), I::Call(copy), I::Drop]].concat(),
                ),
                None => (copying, [backward(), copying_forward()].concat()),
            },
            Self::Set => (&[(1, ValType::I32), (1, ValType::I64)][..], filling()),
            Self::Compare => (&[][..], compare()),
            Self::Multiply => (&[(5, ValType::I64)][..], multiply()),
        };
        let mut body = Function::new(locals.iter().copied());
        for instruction in &code {
            body.instruction(instruction);
        }
        if matches!(self, Self::Copy | Self::Move | Self::Set) {
            body.instruction(&I::LocalGet(0));
        }
        body.instruction(&I::End);
        body.into_raw_body()
    }
}

/// The local behind the parameters: where the next byte goes.
const AT: u32 = 3;
/// The two locals behind that: the last 16 bytes of what is copied, or in the first one eight bytes of what `memset` writes.
const WORD: u32 = 4;
const SECOND: u32 = 5;
/// Bytes of two words, the least that a loop moves.
const TWO: i32 = 16;
/// Bytes of a large step.
const FOUR: i32 = 32;

/// A piece of a body.
type Code = Vec<I<'static>>;

/// The load and the store of so many bytes, so far from their address.
fn access(width: i32, at: u32) -> (I<'static>, I<'static>) {
    let at = memory(at, 0);
    match width {
        8 => (I::I64Load(at), I::I64Store(at)),
        4 => (I::I32Load(at), I::I32Store(at)),
        2 => (I::I32Load16U(at), I::I32Store16(at)),
        _ => (I::I32Load8U(at), I::I32Store8(at)),
    }
}

/// `local += by`.
fn advance(local: u32, by: i32) -> [I<'static>; 4] {
    [I::LocalGet(local), I::I32Const(by), I::I32Add, I::LocalSet(local)]
}

/// One way or the other, as local 2, the number of bytes, is at least `width` or not.
fn at_least(width: i32, yes: Code, no: Code) -> Code {
    let begin = vec![I::LocalGet(2), I::I32Const(width), I::I32GeU, I::If(BlockType::Empty)];
    let otherwise = if no.is_empty() { no } else { [vec![I::Else], no].concat() };
    [begin, yes, otherwise, vec![I::End]].concat()
}

/// Steps of 32 bytes as long as so many are left by local 2, then of 16 as long as any is: local 2 ends between -15 and 0.
fn steps(step: impl Fn(i32) -> Code) -> Code {
    let all = [(FOUR, I::I32Const(FOUR), I::I32GeU), (TWO, I::I32Const(0), I::I32GtS)].map(|(width, than, more)| {
        let left = vec![I::LocalGet(2), than, more];
        let begin = [left.clone(), vec![I::If(BlockType::Empty), I::Loop(BlockType::Empty)]].concat();
        [begin, step(width), advance(2, -width).to_vec(), left, vec![I::BrIf(0), I::End, I::End]].concat()
    });
    all.concat()
}

/// Moves `width` bytes from local 1 to `AT`, both so far on; all are loaded before the first is stored.
fn copy_words(width: i32, on: u32) -> Code {
    let places = || (on..on + width.cast_unsigned()).step_by(8);
    let loads = places().flat_map(|at| [I::LocalGet(AT), I::LocalGet(1), access(8, at).0]);
    loads.chain(places().rev().map(|at| access(8, at).1)).collect()
}

/// Loads the 16 bytes at the address that `place` leaves.
fn load_two(place: &[I<'static>]) -> Code {
    let word = |at, local| [place, &[access(8, at).0, I::LocalSet(local)]].concat();
    [word(0, WORD), word(8, SECOND)].concat()
}

/// Stores them at the address that `place` leaves.
fn store_two(place: &[I<'static>], second: u32) -> Code {
    let word = |at, local| [place, &[I::LocalGet(local), access(8, at).1]].concat();
    [word(0, WORD), word(8, second)].concat()
}

/// Fewer than 16 bytes: the first and the last of a width, which overlap unless there are twice as many.
fn copy_few() -> Code {
    let two = |width: i32| {
        let (load, store) = access(width, 0);
        let last = |local| [I::LocalGet(local), I::LocalGet(AT), I::I32Add];
        [
            vec![
                I::LocalGet(2),
                I::I32Const(width),
                I::I32Sub,
                I::LocalSet(AT),
                I::LocalGet(0),
                I::LocalGet(1),
                load.clone(),
            ],
            last(0).to_vec(),
            last(1).to_vec(),
            vec![load, store.clone(), store],
        ]
        .concat()
    };
    let (load, store) = access(1, 0);
    let one = at_least(1, vec![I::LocalGet(0), I::LocalGet(1), load, store], vec![]);
    at_least(8, two(8), at_least(4, two(4), at_least(2, two(2), one)))
}

/// From the first byte to the last.
fn copying_forward() -> Code {
    let end = |local| [I::LocalGet(local), I::LocalGet(2), I::I32Add];
    let many = [
        vec![I::LocalGet(0), I::LocalSet(AT)],
        advance(2, -TWO).to_vec(),
        load_two(&end(1)),
        steps(|width| [copy_words(width, 0), advance(AT, width).to_vec(), advance(1, width).to_vec()].concat()),
        store_two(&end(AT), SECOND),
    ];
    at_least(TWO, many.concat(), copy_few())
}

/// From the last byte to the first, and out, if there are 16 or more, and the second range begins below the first one and reaches
/// into it.
fn backward() -> Code {
    let many = [
        load_two(&[I::LocalGet(1)]),
        advance(2, -TWO).to_vec(),
        vec![I::LocalGet(0), I::LocalGet(2), I::I32Add, I::LocalSet(AT)],
        vec![I::LocalGet(1), I::LocalGet(2), I::I32Add, I::LocalSet(1)],
        // The 16 bytes that are loaded already lie between.
        steps(|width| {
            [advance(AT, -width).to_vec(), advance(1, -width).to_vec(), copy_words(width, TWO.cast_unsigned())].concat()
        }),
        store_two(&[I::LocalGet(0)], SECOND),
        vec![I::LocalGet(0), I::Return],
    ];
    let overlap = [I::LocalGet(0), I::LocalGet(1), I::I32Sub, I::LocalGet(2), I::I32LtU, I::If(BlockType::Empty)];
    [overlap.to_vec(), at_least(TWO, many.concat(), vec![]), vec![I::End]].concat()
}

/// The byte in local 1, so many times.
fn filling() -> Code {
    let store = |place: &[I<'static>], store: I<'static>| [place, &[I::LocalGet(WORD), store]].concat();
    // The first and the last of a width.
    let ends = |width: i32, kind: I<'static>| {
        let last = [I::LocalGet(0), I::LocalGet(2), I::I32Add, I::I32Const(width), I::I32Sub];
        [store(&[I::LocalGet(0)], kind.clone()), store(&last, kind)].concat()
    };
    let narrow = memory(0, 0);
    let middle = [I::LocalGet(0), I::LocalGet(2), I::I32Const(1), I::I32ShrU, I::I32Add];
    let few = at_least(1, [ends(1, I::I64Store8(narrow)), store(&middle, I::I64Store8(narrow))].concat(), vec![]);
    let few = at_least(8, ends(8, I::I64Store(narrow)), at_least(4, ends(4, I::I64Store32(narrow)), few));
    let step = |width: i32| {
        let words = (0..width.cast_unsigned()).step_by(8).flat_map(|at| store(&[I::LocalGet(AT)], access(8, at).1));
        words.chain(advance(AT, width)).collect()
    };
    let many = [
        vec![I::LocalGet(0), I::LocalSet(AT)],
        advance(2, -TWO).to_vec(),
        steps(step),
        store_two(&[I::LocalGet(AT), I::LocalGet(2), I::I32Add], WORD),
    ];
    let each = I::I64Const(0x0101_0101_0101_0101);
    let spread =
        vec![I::LocalGet(1), I::I32Const(0xff), I::I32And, I::I64ExtendI32U, each, I::I64Mul, I::LocalSet(WORD)];
    [spread, at_least(TWO, many.concat(), few)].concat()
}

/// The difference of the first bytes that differ, or 0.
fn compare() -> Code {
    let bytes = |load: fn(wasm_encoder::MemArg) -> I<'static>| {
        [0, 1].map(|local| [I::LocalGet(local), load(memory(0, 0))]).concat()
    };
    let on = |by: i32| [advance(0, by), advance(1, by), advance(2, -by)].concat();
    let mut code = vec![I::Block(BlockType::Empty), I::Loop(BlockType::Empty)];
    code.extend([I::LocalGet(2), I::I32Const(8), I::I32LtU, I::BrIf(1)]);
    code.extend(bytes(I::I64Load));
    code.extend([I::I64Ne, I::BrIf(1)]);
    code.extend(on(8));
    code.extend([I::Br(0), I::End, I::End]);
    code.extend([I::Block(BlockType::Empty), I::Loop(BlockType::Empty), I::LocalGet(2), I::I32Eqz, I::BrIf(1)]);
    code.extend(bytes(I::I32Load8U));
    code.extend([I::I32Ne, I::If(BlockType::Empty)]);
    code.extend(bytes(I::I32Load8U));
    code.extend([I::I32Sub, I::Return, I::End]);
    code.extend(on(1));
    code.extend([I::Br(0), I::End, I::End, I::I32Const(0)]);
    code
}

/// The product of locals 1 and 3, with 2 and 4 as their upper halves, to the address in local 0.
fn multiply() -> Code {
    const LOW: I<'static> = I::I64Const(0xffff_ffff);
    let half = |local: u32| vec![I::LocalGet(local), LOW, I::I64And];
    let upper = |local: u32| vec![I::LocalGet(local), I::I64Const(32), I::I64ShrU];
    let times = |one: Vec<I<'static>>, other: Vec<I<'static>>| [one, other, vec![I::I64Mul]].concat();
    let get = |local: u32| vec![I::LocalGet(local)];
    let (a, b, low, middle, other) = (5, 6, 7, 8, 9);
    let set = |local: u32, value: Vec<I<'static>>| [value, vec![I::LocalSet(local)]].concat();
    let plus = |one: Vec<I<'static>>, other: Vec<I<'static>>| [one, other, vec![I::I64Add]].concat();
    [
        set(a, half(1)),
        set(b, half(3)),
        set(low, times(get(a), get(b))),
        set(middle, plus(times(upper(1), get(b)), upper(low))),
        set(other, plus(times(get(a), upper(3)), half(middle))),
        vec![I::LocalGet(0)],
        plus(times(upper(1), upper(3)), plus(upper(middle), upper(other))),
        plus(times(get(1), get(4)), times(get(2), get(3))),
        vec![I::I64Add, I::I64Store(memory(8, 3)), I::LocalGet(0), I::LocalGet(other), I::I64Const(32), I::I64Shl],
        half(low),
        vec![I::I64Or, I::I64Store(memory(0, 3))],
    ]
    .concat()
}

/// The functions of a runtime that are what their names say.
pub(super) fn routines(survey: &Survey<'_>) -> Vec<(u32, Routine)> {
    let mut found = BTreeMap::new();
    for (function, name) in custom::function_names(survey) {
        // Trying out takes time: a module that names everything `memcpy` is none that a compiler made.
        if let Some(routine) = Routine::from_name(name).filter(|_| found.len() < MOST) {
            found.entry(function).or_insert(routine);
        }
    }
    let is = |(function, routine): (u32, Routine)| {
        let (parts, module) = alone(survey, function)?;
        // Compilers that optimise their own routines multiply as quickly.
        let is = (routine != Routine::Multiply || parts > 1) && trial::passes(&module, routine);
        is.then(|| {
            // Where `memcpy` and `memmove` are one function, it may have either name.
            let moves = routine == Routine::Copy && trial::passes(&module, Routine::Move);
            (function, if moves { Routine::Move } else { routine })
        })
    };
    found.into_iter().filter_map(is).collect()
}

/// So many functions at most are tried out.
const MOST: usize = 8;
/// So many functions at most make up one of them, so many bytes of code and so many globals.
const MOST_PARTS: usize = 16;
const MOST_GLOBALS: u32 = 8;
const MOST_CODE: usize = 16 * 1024;

/// A module of this function and what it calls, with a memory of one page, a few globals that hold an address, as a stack pointer
/// does, and nothing else; and how many functions it has. `None` where something is called that is not in the module, or where
/// too much is.
fn alone(survey: &Survey<'_>, function: u32) -> Option<(usize, Vec<u8>)> {
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
    Some((parts.len(), module(&types, &functions, &code)))
}

/// The module around functions that are tried out, the first of which is.
fn module(types: &TypeSection, functions: &FunctionSection, code: &CodeSection) -> Vec<u8> {
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0).export("routine", ExportKind::Func, 0);
    let mut globals = GlobalSection::new();
    for global in 0..MOST_GLOBALS {
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(trial::STACK.cast_signed()));
        exports.export(&global.to_string(), ExportKind::Global, global);
    }
    let mut module = wasm_encoder::Module::new();
    module
        .section(types)
        .section(functions)
        .section(&super::trial::memory())
        .section(&globals)
        .section(&exports)
        .section(code);
    module.finish()
}

/// Executes a function and looks at what it does.
mod trial {
    use super::super::trial::{bytes, load};
    use super::Routine;
    use wasmi::{Global, Instance, Linker, Memory, Store, Val};

    /// Where the ranges lie, in the one page that there is.
    const TO: u32 = 1024;
    const FROM: u32 = 4096;
    /// What is compared after each case; the rest once, at the end.
    const WINDOW: usize = 8192;
    /// Where a stack may grow down from, and how far.
    pub(super) const STACK: u32 = 32_768;
    const FRAMES: u32 = 4096;
    /// What a call may cost; a thousand bytes cost a tenth of it.
    const FUEL: u64 = 100_000;

    /// Whether the module's function does on every case what it should.
    pub(super) fn passes(module: &[u8], routine: Routine) -> bool {
        Subject::new(module)
            .is_some_and(|mut subject| cases(routine).all(|case| subject.does(routine, &case)) && subject.is_whole())
    }

    /// What a function is called with: two addresses, or an address and a value, and a length; or the halves of two factors.
    enum Case {
        Memory(u32, u32, u32),
        Factors([u64; 4]),
    }

    fn cases(routine: Routine) -> Box<dyn Iterator<Item = Case>> {
        let short = (0..=40).chain([47, 48, 49, 63, 64, 65, 79, 80, 81, 100, 127, 128, 129]);
        let lengths = short.chain([255_u32, 256, 257, 1000]);
        let apart = move |n: u32| (0..4).map(move |turn| (TO + n * 3 % 8 + turn, FROM + n % 8 + turn * 3 % 8, n));
        let over = move |n: u32| {
            let by = [1, 2, 3, 5, 8, 9, 17, 31, 32, 33, 64];
            by.into_iter().flat_map(move |by| [(FROM + by, FROM + n % 4, n), (FROM + n % 4, FROM + by, n)])
        };
        let values = move |n: u32| [0, 1, 0x80, 0xff, 0xffff_ff7f].into_iter().map(move |value| (TO + n % 8, value, n));
        if routine == Routine::Multiply {
            let halves = [0, 1, 2, 0xffff_ffff, 1 << 32, 0x0123_4567_89ab_cdef, 1 << 63, u64::MAX - 1, u64::MAX];
            let pairs = move || halves.into_iter().flat_map(move |low| halves.map(move |high| (low, high)));
            return Box::new(
                pairs().flat_map(move |(a, b)| pairs().step_by(7).map(move |(c, d)| Case::Factors([a, b, c, d]))),
            );
        }
        Box::new(
            lengths
                .flat_map(move |n| match routine {
                    Routine::Copy => apart(n).chain([(FROM, FROM, n)]).collect::<Vec<_>>(),
                    Routine::Move => apart(n).chain(over(n)).collect(),
                    Routine::Set => values(n).collect(),
                    // Ranges that are made alike up to a place.
                    Routine::Compare | Routine::Multiply => apart(n).collect(),
                })
                .map(|(to, second, n)| Case::Memory(to, second, n)),
        )
    }

    struct Subject {
        store: Store<()>,
        instance: Instance,
        memory: Memory,
        globals: Vec<Global>,
        fresh: Vec<u8>,
    }

    impl Subject {
        fn new(module: &[u8]) -> Option<Self> {
            let (module, mut store) = load(module, ())?;
            let instance = Linker::new(store.engine()).instantiate_and_start(&mut store, &module).ok()?;
            let memory = instance.get_memory(&store, "memory")?;
            let globals = instance.exports(&store).filter_map(|export| export.into_global()).collect();
            let fresh = bytes(memory.data_size(&store));
            memory.write(&mut store, 0, &fresh).ok()?;
            Some(Self { store, instance, memory, globals, fresh })
        }

        fn call<P: wasmi::WasmParams, R: wasmi::WasmResults>(&mut self, input: P) -> Option<R> {
            self.store.set_fuel(FUEL).ok()?;
            let routine = self.instance.get_typed_func::<P, R>(&self.store, "routine").ok()?;
            routine.call(&mut self.store, input).ok()
        }

        /// Calls the function with this memory, and says whether it leaves that one, and all globals as they were.
        fn leaves(&mut self, before: &[u8], after: &[u8], call: impl FnOnce(&mut Self) -> bool) -> bool {
            self.memory.data_mut(&mut self.store)[..WINDOW].copy_from_slice(before);
            let is_kept = |subject: &Self| {
                let kept = |global: &Global| matches!(global.get(&subject.store), Val::I32(value) if value.cast_unsigned() == STACK);
                subject.globals.iter().all(kept)
            };
            call(self) && self.memory.data(&self.store)[..WINDOW] == *after && is_kept(self)
        }

        fn does(&mut self, routine: Routine, case: &Case) -> bool {
            let before = self.fresh[..WINDOW].to_vec();
            let mut after = before.clone();
            let (to, second, n) = match *case {
                Case::Memory(to, second, n) => (to, second, n),
                Case::Factors([a, b, c, d]) => {
                    let whole = |low: u64, high: u64| u128::from(low) | u128::from(high) << 64;
                    let product = whole(a, b).wrapping_mul(whole(c, d));
                    after[TO as usize..][..16].copy_from_slice(&product.to_le_bytes());
                    return self.leaves(&before, &after, |subject| subject.call((TO, a, b, c, d)) == Some(()));
                }
            };
            let range = |start: u32| start as usize..(start + n) as usize;
            match routine {
                Routine::Set => after[range(to)].fill(second as u8),
                Routine::Compare => return self.compares(to, second, n),
                _ => after.copy_within(range(second), to as usize),
            }
            self.leaves(&before, &after, |subject| subject.call((to, second, n)) == Some(to))
        }

        /// Ranges that are alike, and such that differ at one place or from there on.
        fn compares(&mut self, one: u32, other: u32, n: u32) -> bool {
            let mut memory = self.fresh[..WINDOW].to_vec();
            memory.copy_within(other as usize..(other + n) as usize, one as usize);
            let alike = memory.clone();
            if !self.leaves(&alike, &alike, |subject| subject.call((one, other, n)) == Some(0)) {
                return false;
            }
            let places = [0, 1, n / 2, n.saturating_sub(9), n.saturating_sub(1)];
            places.into_iter().filter(|place| *place < n).all(|place| {
                let mut differing = alike.clone();
                let at = (one + place) as usize;
                differing[at] = differing[at].wrapping_add(1 + 100 * (place % 2) as u8);
                // What follows does not count.
                differing[at + 1..(one + n) as usize].fill(0x55);
                let expected = i32::from(differing[at]) - i32::from(differing[(other + place) as usize]);
                self.leaves(&differing, &differing, |subject| subject.call((one, other, n)) == Some(expected))
            })
        }

        /// Whether nothing was written outside the window, save where a stack would be.
        fn is_whole(&self) -> bool {
            let memory = self.memory.data(&self.store);
            let stack = (STACK - FRAMES) as usize..STACK as usize;
            memory[WINDOW..stack.start] == self.fresh[WINDOW..stack.start]
                && memory[stack.end..] == self.fresh[stack.end..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Routine; 5] = [Routine::Copy, Routine::Move, Routine::Set, Routine::Compare, Routine::Multiply];

    #[test]
    fn the_new_bodies_pass_the_trial() {
        for routine in ALL {
            for other in ALL {
                // A move also copies.
                let is = routine == other || (routine, other) == (Routine::Move, Routine::Copy);
                assert_eq!(trial::passes(&module_of(&[routine]), other), is, "{routine:?} as {other:?}");
            }
        }
        assert!(trial::passes(&module_of(&[Routine::Move, Routine::Copy]), Routine::Move));
    }

    /// A module of such functions, in which the first one copies with the second.
    fn module_of(routines: &[Routine]) -> Vec<u8> {
        let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        for (place, routine) in (0..).zip(routines) {
            match routine {
                Routine::Multiply => {
                    types.ty().function([&[ValType::I32][..], &[ValType::I64; 4]].concat(), []);
                }
                _ => types.ty().function([ValType::I32; 3], [ValType::I32]),
            }
            functions.function(place);
            code.raw(&routine.body(routines.get(1).map(|_| 1)));
        }
        module(&types, &functions, &code)
    }
}
