//! Conversions from floating point that saturate.
//!
//! ```text
//! i64.trunc_sat_f64_s    local.tee $t  i64.reinterpret_f64  i64.const 1  i64.shl  i64.const 0x87c0000000000000  i64.lt_u
//!                        if (result i64)
//!                          local.get $t  i64.trunc_f64_s
//!                        else
//!                          i64.const 0x7fffffffffffffff  local.get $t  f64.const 0  f64.lt  i64.extend_i32_u  i64.add
//!                          i64.const 0  local.get $t  local.get $t  f64.eq  select
//!                        end
//! i64.trunc_sat_f64_u    local.tee $t  i64.reinterpret_f64  i64.const 0x43f0000000000000  i64.lt_u
//!                        if (result i64)
//!                          local.get $t  i64.trunc_f64_u
//!                        else
//!                          i64.const 0  local.get $t  f64.const 0  f64.gt  i64.extend_i32_u  i64.sub
//!                        end
//! ```
//!
//! The bits of numbers without a sign grow with the number: one comparison of integers tells whether a number lies below 2^n, and sends all
//! that are not (NaN too, and without a sign also what is negative) the other way. What is truncated to -2^n goes there as well, and
//! becomes the same.
//!
//! Why not a function: a call in a loop makes engines keep floating point in memory, since no register of that kind survives a call; even one
//! that is never executed. A loop of nothing but conversions took 3.2 times as long as the instruction by calls, 1.8 times with two
//! comparisons of floating point and a call for the rest, and takes 1.5 times so; floating point in Go took 1.21 times, and takes 0.99
//! (`bench/passes`). Only a function that has no variable left calls another one.

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

    /// The conversion of the number on the stack; `local` is for it.
    pub(super) fn inline(self, local: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut InstructionSink::new(&mut bytes), local);
        bytes
    }

    /// The conversion as a function.
    pub(super) fn function(self) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.local_get(0);
        self.write(&mut code, 0);
        code.end();
        function
    }

    fn write(self, code: &mut InstructionSink<'_>, local: u32) {
        // 2^31, 2^32, 2^63 or 2^64: one past the largest, which both formats have.
        let width = if self.gives_i64() { 64 } else { 32 };
        let limit = f64::powi(2.0, if self.is_signed() { width - 1 } else { width });
        code.local_tee(local);
        // Without the sign, where either will do.
        let shift = u32::from(self.is_signed());
        if self.takes_f64() {
            code.i64_reinterpret_f64();
            if self.is_signed() {
                code.i64_const(1).i64_shl();
            }
            code.i64_const((limit.to_bits() << shift).cast_signed()).i64_lt_u();
        } else {
            code.i32_reinterpret_f32();
            if self.is_signed() {
                code.i32_const(1).i32_shl();
            }
            code.i32_const(((limit as f32).to_bits() << shift).cast_signed()).i32_lt_u();
        }
        code.if_(BlockType::Result(self.to())).local_get(local);
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
        code.else_();
        if self.is_signed() {
            // The largest, and one more is the smallest; for NaN neither.
            self.integer(code, if self.gives_i64() { i64::MAX } else { i32::MAX.into() });
            self.beside_zero(code, local);
            if self.gives_i64() {
                code.i64_add()
            } else {
                code.i32_add()
            };
            self.integer(code, 0);
            code.local_get(local).local_get(local);
            if self.takes_f64() {
                code.f64_eq()
            } else {
                code.f32_eq()
            };
            code.select();
        } else {
            self.integer(code, 0);
            self.beside_zero(code, local);
            if self.gives_i64() {
                code.i64_sub()
            } else {
                code.i32_sub()
            };
        }
        code.end();
    }

    /// 1 for numbers below zero, or without a sign above it; else 0.
    fn beside_zero(self, code: &mut InstructionSink<'_>, local: u32) {
        code.local_get(local);
        if self.takes_f64() {
            code.f64_const(Ieee64::from(0.0))
        } else {
            code.f32_const(Ieee32::from(0.0))
        };
        match (self.is_signed(), self.takes_f64()) {
            (true, true) => code.f64_lt(),
            (true, false) => code.f32_lt(),
            (false, true) => code.f64_gt(),
            (false, false) => code.f32_gt(),
        };
        if self.gives_i64() {
            code.i64_extend_i32_u();
        }
    }

    fn integer(self, code: &mut InstructionSink<'_>, value: i64) {
        if self.gives_i64() {
            code.i64_const(value);
        } else {
            code.i32_const(value as i32);
        }
    }
}
