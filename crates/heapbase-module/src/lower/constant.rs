//! Constant expressions, evaluated as far as the first release of WebAssembly makes it necessary.
//!
//! ```text
//! (global i32 (i32.add (i32.const 4096) (i32.const 16)))      (global i32 (i32.const 4112))
//! (data (offset (global.get 1)) "...")                        (data (offset (i32.const 4112)) "...")
//! ```
//!
//! The first release knows one constant, or the value of one imported global; so what adds an imported global to something has no
//! other form, and is refused.

use crate::SectionKind;
use crate::inspect::Feature;
use crate::pass::PassError;
use wasm_encoder::{ConstExpr, Ieee32, Ieee64};
use wasmparser::Operator;

/// The value of a constant expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    /// What an imported global holds.
    Imported(u32),
}

impl Value {
    /// As an expression.
    pub(super) fn expression(self) -> ConstExpr {
        match self {
            Self::I32(value) => ConstExpr::i32_const(value),
            Self::I64(value) => ConstExpr::i64_const(value),
            Self::F32(bits) => ConstExpr::f32_const(Ieee32::new(bits)),
            Self::F64(bits) => ConstExpr::f64_const(Ieee64::new(bits)),
            Self::Imported(global) => ConstExpr::global_get(global),
        }
    }

    /// As an address or a place in a table, where it is known.
    pub(super) fn address(self) -> Option<u32> {
        match self {
            Self::I32(value) => Some(value.cast_unsigned()),
            _ => None,
        }
    }
}

/// Evaluates an expression. `globals` are the values of the module's own globals so far, `imported` how many come before them.
pub(super) fn evaluate(
    expression: &wasmparser::ConstExpr<'_>,
    imported: u32,
    globals: &[Value],
    section: SectionKind,
) -> Result<Value, PassError> {
    let mut stack: Vec<Value> = Vec::new();
    let mut operators = expression.get_operators_reader();
    while !operators.eof() {
        let offset = operators.original_position();
        let refused = |what: &str, feature, why| Err(PassError::unsupported(what, feature, section, offset, why));
        let operator = operators.read()?;
        let value = match operator {
            Operator::I32Const { value } => Value::I32(value),
            Operator::I64Const { value } => Value::I64(value),
            Operator::F32Const { value } => Value::F32(value.bits()),
            Operator::F64Const { value } => Value::F64(value.bits()),
            Operator::GlobalGet { global_index } if global_index < imported => Value::Imported(global_index),
            Operator::GlobalGet { global_index } => match globals.get((global_index - imported) as usize) {
                Some(value) => *value,
                None => {
                    return refused(
                        "a constant that refers to a later global",
                        Feature::Gc,
                        "its value is not known beforehand",
                    );
                }
            },
            Operator::I32Add
            | Operator::I32Sub
            | Operator::I32Mul
            | Operator::I64Add
            | Operator::I64Sub
            | Operator::I64Mul => {
                let (right, left) = (stack.pop(), stack.pop());
                match (left, right, &operator) {
                    (Some(Value::I32(a)), Some(Value::I32(b)), Operator::I32Add) => Value::I32(a.wrapping_add(b)),
                    (Some(Value::I32(a)), Some(Value::I32(b)), Operator::I32Sub) => Value::I32(a.wrapping_sub(b)),
                    (Some(Value::I32(a)), Some(Value::I32(b)), Operator::I32Mul) => Value::I32(a.wrapping_mul(b)),
                    (Some(Value::I64(a)), Some(Value::I64(b)), Operator::I64Add) => Value::I64(a.wrapping_add(b)),
                    (Some(Value::I64(a)), Some(Value::I64(b)), Operator::I64Sub) => Value::I64(a.wrapping_sub(b)),
                    (Some(Value::I64(a)), Some(Value::I64(b)), Operator::I64Mul) => Value::I64(a.wrapping_mul(b)),
                    _ => {
                        return refused(
                            "a constant computed from an imported global",
                            Feature::ExtendedConst,
                            "its value is not known beforehand; link without position independence",
                        );
                    }
                }
            }
            Operator::End => break,
            other => {
                let feature = crate::inspect::proposal(&other).unwrap_or(Feature::Gc);
                return refused(
                    "a constant that is no number",
                    feature,
                    "the first release of WebAssembly has only numbers",
                );
            }
        };
        stack.push(value);
    }
    match stack[..] {
        [value] => Ok(value),
        // The validator has seen one value there.
        _ => Err(PassError::Invalid { message: "not one constant".to_owned(), offset: operators.original_position() }),
    }
}
