//! Conversions from floating point that saturate.
//!
//! ```text
//! local.get $x                    local.get $x
//! i64.trunc_sat_f64_s             call $i64.trunc_sat_f64_s
//! ```
//!
//! with a function for each of the eight that the module uses:
//!
//! ```text
//! (func $i64.trunc_sat_f64_s (param f64) (result i64)
//!   (if (f64.lt (f64.abs (local.get 0)) (f64.const 0x1p63))
//!     (then (return (i64.trunc_f64_s (local.get 0)))))
//!   (if (f64.ne (local.get 0) (local.get 0)) (then (return (i64.const 0))))
//!   (select (i64.const 0x8000000000000000) (i64.const 0x7fffffffffffffff) (f64.lt (local.get 0) (f64.const 0))))
//! ```
//!
//! A call, and not the comparison in place: in place it is 24 bytes and a variable more at each of some hundred conversions of a Go
//! module, and a loop of nothing but conversions is no faster for it.

use wasm_encoder::{BlockType, Function, Ieee32, Ieee64, InstructionSink, ValType};

/// One of the eight conversions, by the number of its instruction behind the prefix `0xfc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Saturate(pub(super) u8);

impl Saturate {
    const NAMES: [&str; 8] = [
        "i32.trunc_sat_f32_s",
        "i32.trunc_sat_f32_u",
        "i32.trunc_sat_f64_s",
        "i32.trunc_sat_f64_u",
        "i64.trunc_sat_f32_s",
        "i64.trunc_sat_f32_u",
        "i64.trunc_sat_f64_s",
        "i64.trunc_sat_f64_u",
    ];

    /// The instruction.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES[usize::from(self.0 & 7)]
    }

    fn is_signed(self) -> bool {
        self.0 & 1 == 0
    }

    fn takes_f64(self) -> bool {
        self.0 & 2 != 0
    }

    fn gives_i64(self) -> bool {
        self.0 & 4 != 0
    }

    /// The operand's type.
    pub(super) fn from(self) -> ValType {
        if self.takes_f64() { ValType::F64 } else { ValType::F32 }
    }

    /// The result's type.
    pub(super) fn to(self) -> ValType {
        if self.gives_i64() { ValType::I64 } else { ValType::I32 }
    }

    /// The function.
    pub(super) fn function(self) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        let width = if self.gives_i64() { 64 } else { 32 };
        let bits = if self.is_signed() { width - 1 } else { width };
        // One past the largest: a power of two, which both formats have.
        let limit = f64::powi(2.0, bits);
        if self.is_signed() {
            // What lies below -2^n and is still truncated to it goes the other way, which has the same result.
            self.get(&mut code);
            if self.takes_f64() {
                code.f64_abs()
            } else {
                code.f32_abs()
            };
            self.constant(&mut code, limit);
            self.compare(&mut code, Compare::Less);
        } else {
            self.get(&mut code);
            self.constant(&mut code, -1.0);
            self.compare(&mut code, Compare::Greater);
            self.get(&mut code);
            self.constant(&mut code, limit);
            self.compare(&mut code, Compare::Less);
            code.i32_and();
        }
        code.if_(BlockType::Empty);
        self.get(&mut code);
        match self.0 & 7 {
            0 => code.i32_trunc_f32_s(),
            1 => code.i32_trunc_f32_u(),
            2 => code.i32_trunc_f64_s(),
            3 => code.i32_trunc_f64_u(),
            4 => code.i64_trunc_f32_s(),
            5 => code.i64_trunc_f32_u(),
            6 => code.i64_trunc_f64_s(),
            _ => code.i64_trunc_f64_u(),
        };
        code.return_().end();
        self.get(&mut code);
        self.get(&mut code);
        self.compare(&mut code, Compare::Differs);
        code.if_(BlockType::Empty);
        self.integer(&mut code, 0);
        code.return_().end();
        let (least, most) = match (self.gives_i64(), self.is_signed()) {
            (true, true) => (i64::MIN, i64::MAX),
            (true, false) => (0, -1),
            (false, true) => (i64::from(i32::MIN), i64::from(i32::MAX)),
            (false, false) => (0, -1),
        };
        self.integer(&mut code, least);
        self.integer(&mut code, most);
        self.get(&mut code);
        self.constant(&mut code, 0.0);
        self.compare(&mut code, Compare::Less);
        code.select().end();
        function
    }

    fn get(self, code: &mut InstructionSink<'_>) {
        code.local_get(0);
    }

    fn constant(self, code: &mut InstructionSink<'_>, value: f64) {
        if self.takes_f64() {
            code.f64_const(Ieee64::from(value));
        } else {
            // Powers of two, and -1: the same number.
            code.f32_const(Ieee32::from(value as f32));
        }
    }

    fn integer(self, code: &mut InstructionSink<'_>, value: i64) {
        if self.gives_i64() {
            code.i64_const(value);
        } else {
            code.i32_const(value as i32);
        }
    }

    fn compare(self, code: &mut InstructionSink<'_>, compare: Compare) {
        match (compare, self.takes_f64()) {
            (Compare::Less, true) => code.f64_lt(),
            (Compare::Less, false) => code.f32_lt(),
            (Compare::Greater, true) => code.f64_gt(),
            (Compare::Greater, false) => code.f32_gt(),
            (Compare::Differs, true) => code.f64_ne(),
            (Compare::Differs, false) => code.f32_ne(),
        };
    }
}

/// A comparison of floating point numbers.
#[derive(Clone, Copy)]
enum Compare {
    Less,
    Greater,
    Differs,
}
