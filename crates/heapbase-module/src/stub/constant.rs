//! Constant expressions, in which imported globals are zero.

use std::ops::Range;
use wasmparser::{ConstExpr, Operator};

/// The instructions of an expression that read an imported global, and which one each reads. Globals below `imported` are.
pub(super) fn reads_of_imports(
    expression: &ConstExpr<'_>,
    imported: u32,
) -> wasmparser::Result<Vec<(Range<usize>, u32)>> {
    let mut operators = expression.get_operators_reader();
    let mut reads = Vec::new();
    while !operators.eof() {
        let start = operators.original_position() as usize;
        if let Operator::GlobalGet { global_index } = operators.read()?
            && global_index < imported
        {
            reads.push((start..operators.original_position() as usize, global_index));
        }
    }
    Ok(reads)
}

/// The value of an expression over integers, an i32 as its unsigned value; `None` if it takes more than arithmetic to tell.
pub(super) fn value(expression: &ConstExpr<'_>, imported: u32) -> Option<u64> {
    let mut stack: Vec<u64> = Vec::new();
    let low = |value: u64| value & u64::from(u32::MAX);
    for operator in expression.get_operators_reader() {
        let operator = operator.ok()?;
        let value = match operator {
            Operator::I32Const { value } => u64::from(value.cast_unsigned()),
            Operator::I64Const { value } => value.cast_unsigned(),
            Operator::GlobalGet { global_index } if global_index < imported => 0,
            Operator::End => break,
            _ => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                match operator {
                    Operator::I32Add => low(left.wrapping_add(right)),
                    Operator::I32Sub => low(left.wrapping_sub(right)),
                    Operator::I32Mul => low(left.wrapping_mul(right)),
                    Operator::I64Add => left.wrapping_add(right),
                    Operator::I64Sub => left.wrapping_sub(right),
                    Operator::I64Mul => left.wrapping_mul(right),
                    _ => return None,
                }
            }
        };
        stack.push(value);
    }
    match stack[..] {
        [value] => Some(value),
        _ => None,
    }
}
