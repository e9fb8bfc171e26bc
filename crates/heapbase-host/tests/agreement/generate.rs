//! Modules made by chance, of what engines make one instruction of: comparisons and what decides by them.
//!
//! Everything is a stack of instructions, not a tree of expressions, so that sets, stores and whole blocks come between an
//! operand and its user. No instruction traps, and every loop ends after three rounds, so two engines have to agree to the
//! last byte.

use std::fmt::Write;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ty {
    I32,
    I64,
    F32,
    F64,
}

use Ty::{F32, F64, I32, I64};

impl Ty {
    fn name(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
        }
    }

    /// The local variables of this type; the first ones are parameters.
    fn locals(self) -> &'static [u32] {
        match self {
            I32 => &[0, 1, 6, 7],
            I64 => &[2, 3, 8],
            F32 => &[4, 9],
            F64 => &[5, 10],
        }
    }
}

/// Where the counters of loops begin among the local variables.
const COUNTERS: u32 = 11;
const LOOPS: u32 = 4;
const FUNCTIONS: u32 = 24;
/// Where results are written; loads and stores stay below.
const RESULTS: u32 = 1024;

/// How often each function is called.
pub(crate) const CALLS: usize = ARGUMENTS.len();

const ARGUMENTS: [&str; 5] = [
    "i32.const 0 i32.const 0 i64.const 0 i64.const 0 f32.const 0 f64.const 0",
    "i32.const 1 i32.const 0 i64.const 1 i64.const 0 f32.const 1 f64.const -0",
    "i32.const 0 i32.const 7 i64.const 0 i64.const 0x100000000 f32.const nan f64.const 2",
    "i32.const 5 i32.const 5 i64.const -1 i64.const -1 f32.const -1 f64.const nan",
    "i32.const -2147483648 i32.const 32 i64.const 0x8000000000000000 i64.const 64 f32.const inf f64.const -inf",
];

struct Generator {
    state: u64,
    out: String,
    /// Types of the results of the blocks around, innermost last. `None`: not to be branched to.
    labels: Vec<Option<Option<Ty>>>,
    loops: u32,
    /// Functions that may be called.
    callable: u32,
    /// Instructions that the function may still grow by.
    budget: u32,
}

/// The text of a module with an entry point `run`, the same for the same seed.
pub(crate) fn module(seed: u64) -> String {
    let mut generator =
        Generator { state: seed, out: String::new(), labels: Vec::new(), loops: 0, callable: 0, budget: 0 };
    let types = "(param i32 i32 i64 i64 f32 f64) (result i64)";
    generator.out.push_str(
        "(module (memory (export \"memory\") 1) (global (export \"__heap_base\") i32 (i32.const 65536))\n\
         (global $i32 (mut i32) (i32.const 0)) (global $i64 (mut i64) (i64.const 1))\n\
         (global $f32 (mut f32) (f32.const 0)) (global $f64 (mut f64) (f64.const 0.5))\n",
    );
    for function in 0..FUNCTIONS {
        generator.callable = function;
        generator.budget = 60;
        generator.loops = 0;
        let _ = write!(generator.out, "(func $f{function} {types} (local i32 i32 i64 f32 f64");
        for _ in 0..LOOPS {
            generator.out.push_str(" i32");
        }
        generator.out.push_str(")\n");
        for _ in 0..generator.below(3) {
            generator.statement(3);
        }
        generator.expression(I64, 5);
        generator.out.push_str(")\n");
    }
    generator.out.push_str("(func (export \"run\") (param i32 i32) (result i64)\n");
    let mut at = RESULTS;
    for function in 0..FUNCTIONS {
        for arguments in ARGUMENTS {
            let _ = writeln!(generator.out, "i32.const {at} {arguments} call $f{function} i64.store");
            at += 8;
        }
    }
    for global in [I32, I64, F32, F64] {
        let name = global.name();
        let _ = writeln!(generator.out, "i32.const {at} global.get ${name} {name}.store");
        at += 8;
    }
    let _ = writeln!(generator.out, "i64.const {}))", u64::from(at) << 32);
    generator.out
}

impl Generator {
    /// SplitMix64.
    fn below(&mut self, end: u32) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % u64::from(end)) as u32
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    fn say(&mut self, instruction: impl std::fmt::Display) {
        self.budget = self.budget.saturating_sub(1);
        let _ = writeln!(self.out, "{instruction}");
    }

    fn local(&mut self, ty: Ty) -> u32 {
        self.pick(ty.locals())
    }

    fn constant(&mut self, ty: Ty) {
        let value = match ty {
            I32 => self.pick(&["0", "0", "0", "1", "-1", "5", "31", "32", "0x80000000"]),
            I64 => self.pick(&["0", "0", "0", "1", "-1", "64", "0x100000000", "0x8000000000000000"]),
            F32 | F64 => self.pick(&["0", "-0", "1", "-1", "nan", "inf"]),
        };
        self.say(format_args!("{}.const {value}", ty.name()));
    }

    fn leaf(&mut self, ty: Ty) {
        match self.below(8) {
            0 | 1 => self.constant(ty),
            2 => self.say(format_args!("global.get ${}", ty.name())),
            _ => {
                let local = self.local(ty);
                self.say(format_args!("local.get {local}"));
            }
        }
    }

    /// What may stand between two operands.
    fn between(&mut self, depth: u32) {
        match self.below(12) {
            0 => self.say("nop"),
            1 => self.say("i32.const 3 drop"),
            2 if depth > 0 => self.statement(depth - 1),
            _ => {}
        }
    }

    /// Leaves one value on the stack.
    fn expression(&mut self, ty: Ty, depth: u32) {
        if depth == 0 || self.budget == 0 {
            return self.leaf(ty);
        }
        let less = depth - 1;
        match self.below(20) {
            0 | 1 => self.leaf(ty),
            2..=7 => self.calculation(ty, less),
            8..=11 => {
                self.expression(ty, less);
                self.between(less);
                self.expression(ty, less);
                self.between(less);
                self.condition(less);
                let select = self.pick(&["select", "select", "nop select"]);
                self.say(select);
            }
            12 => {
                self.expression(ty, less);
                let local = self.local(ty);
                self.say(format_args!("local.tee {local}"));
            }
            13 => self.block(Some(ty), less),
            14 => self.rounds(Some(ty), less),
            15 => self.alternatives(Some(ty), less),
            16 => {
                let target = self.labels.iter().rposition(|label| *label == Some(Some(ty)));
                self.expression(ty, less);
                if let Some(target) = target {
                    self.condition(less);
                    self.say(format_args!("br_if $l{target}"));
                }
            }
            17 => {
                self.address();
                let load = match ty {
                    I32 => self.pick(&["i32.load", "i32.load8_u", "i32.load16_s"]),
                    I64 => self.pick(&["i64.load", "i64.load32_u", "i64.load8_s"]),
                    F32 => "f32.load",
                    F64 => "f64.load",
                };
                self.say(load);
            }
            18 if self.callable > 0 && ty == I64 => {
                for argument in [I32, I32, I64, I64, F32, F64] {
                    self.expression(argument, less.min(1));
                }
                let function = self.below(self.callable);
                self.say(format_args!("call $f{function}"));
            }
            _ => {
                self.expression(ty, less);
                self.between(less);
            }
        }
    }

    /// An `i32` that decides: mostly a comparison.
    fn condition(&mut self, depth: u32) {
        if depth == 0 || self.below(8) == 0 {
            return self.leaf(I32);
        }
        let less = depth - 1;
        match self.below(8) {
            0..=2 => {
                self.operand(I32, less);
                self.say("i32.eqz");
            }
            3 => {
                self.operand(I64, less);
                self.say("i64.eqz");
            }
            4 => {
                let ty = self.pick(&[I32, I64]);
                self.operand(ty, less);
                self.say(format_args!("{}.const 0", ty.name()));
                let compare = self.pick(&["eq", "ne", "xor", "and", "or", "gt_u", "lt_s", "shl", "rotr", "shr_u"]);
                self.say(format_args!("{}.{compare}", ty.name()));
                if ty == I64 && !matches!(compare, "eq" | "ne" | "gt_u" | "lt_s") {
                    self.say("i32.wrap_i64");
                }
            }
            5 => {
                self.condition(less);
                let and = self.pick(&["i64.extend_i32_u i64.eqz", "i64.extend_i32_s i32.wrap_i64", "i32.eqz", "nop"]);
                self.say(and);
            }
            6 => self.block(Some(I32), less),
            _ => self.comparison(less),
        }
    }

    fn operand(&mut self, ty: Ty, depth: u32) {
        if self.below(2) == 0 {
            let local = self.local(ty);
            self.say(format_args!("local.get {local}"));
        } else {
            self.expression(ty, depth);
        }
    }

    fn comparison(&mut self, depth: u32) {
        let ty = self.pick(&[I32, I32, I64, F32, F64]);
        self.operand(ty, depth);
        self.between(depth);
        self.operand(ty, depth);
        let compare = match ty {
            I32 | I64 => self.pick(&["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"]),
            F32 | F64 => self.pick(&["eq", "ne", "lt", "gt", "le", "ge"]),
        };
        self.say(format_args!("{}.{compare}", ty.name()));
    }

    fn calculation(&mut self, ty: Ty, depth: u32) {
        let other = match (ty, self.below(4)) {
            (I32, 0 | 1) => return self.condition(depth),
            (I32, 2) => Some((I64, "i32.wrap_i64")),
            (I64, 0) => Some((I32, "i64.extend_i32_u")),
            (I64, 1) => Some((I32, "i64.extend_i32_s")),
            (I64, 2) => Some((F64, "i64.reinterpret_f64")),
            (F32, 0) => Some((I32, "f32.reinterpret_i32")),
            (F64, 0) => Some((I64, "f64.reinterpret_i64")),
            (F32, 1) => Some((F32, "f32.neg")),
            (F64, 1) => Some((F64, "f64.abs")),
            (F32, 2) => Some((F32, "f32.abs")),
            (F64, 2) => Some((F64, "f64.neg")),
            _ => None,
        };
        if let Some((from, instruction)) = other {
            self.expression(from, depth);
            return self.say(instruction);
        }
        self.expression(ty, depth);
        self.between(depth);
        self.expression(ty, depth);
        let calculate = match ty {
            I32 | I64 => self.pick(&["and", "or", "xor", "add", "sub", "mul", "shl", "shr_u", "shr_s", "rotl", "rotr"]),
            F32 | F64 => "copysign",
        };
        self.say(format_args!("{}.{calculate}", ty.name()));
    }

    fn address(&mut self) {
        let local = self.local(I32);
        self.say(format_args!("local.get {local} i32.const {} i32.and", RESULTS - 8));
    }

    /// Leaves the stack as it is.
    fn statement(&mut self, depth: u32) {
        let ty = self.pick(&[I32, I32, I64, F32, F64]);
        if depth == 0 || self.budget == 0 {
            self.leaf(ty);
            let local = self.local(ty);
            return self.say(format_args!("local.set {local}"));
        }
        let less = depth - 1;
        match self.below(10) {
            0..=3 => {
                self.expression(ty, less);
                let local = self.local(ty);
                self.say(format_args!("local.set {local}"));
            }
            4 => {
                self.address();
                self.expression(ty, less);
                self.say(format_args!("{}.store", ty.name()));
            }
            5 => {
                self.expression(ty, less);
                self.say(format_args!("global.set ${}", ty.name()));
            }
            6 => self.alternatives(None, less),
            7 => self.block(None, less),
            8 => self.rounds(None, less),
            _ => {
                self.condition(less);
                let target = self.labels.iter().rposition(|label| *label == Some(None));
                match target {
                    Some(target) => self.say(format_args!("br_if $l{target}")),
                    None => self.say("drop"),
                }
            }
        }
    }

    fn begin(&mut self, what: &str, result: Option<Ty>, target: Option<Option<Ty>>) {
        let label = self.labels.len();
        match result {
            Some(ty) => self.say(format_args!("{what} $l{label} (result {})", ty.name())),
            None => self.say(format_args!("{what} $l{label}")),
        }
        self.labels.push(target);
    }

    fn end(&mut self) {
        self.labels.pop();
        self.say("end");
    }

    fn body(&mut self, result: Option<Ty>, depth: u32) {
        match result {
            Some(ty) => {
                self.between(depth);
                self.expression(ty, depth);
            }
            None => self.statement(depth),
        }
    }

    fn block(&mut self, result: Option<Ty>, depth: u32) {
        self.begin("block", result, Some(result));
        self.body(result, depth);
        self.end();
    }

    fn alternatives(&mut self, result: Option<Ty>, depth: u32) {
        self.condition(depth);
        self.begin("if", result, Some(result));
        self.body(result, depth);
        if result.is_some() || self.below(2) == 0 {
            self.say("else");
            self.body(result, depth);
        }
        self.end();
    }

    fn rounds(&mut self, result: Option<Ty>, depth: u32) {
        if self.loops == LOOPS {
            return self.block(result, depth);
        }
        let counter = COUNTERS + self.loops;
        self.loops += 1;
        self.say(format_args!("i32.const 0 local.set {counter}"));
        let label = self.labels.len();
        self.begin("loop", result, None);
        self.between(depth);
        if self.below(2) == 0 {
            self.say(format_args!("local.get {counter} i32.const 1 i32.add local.tee {counter} i32.const 3 i32.lt_u"));
            self.say(format_args!("br_if $l{label}"));
        }
        self.body(result, depth);
        self.end();
    }
}
