//! One function, with what it names where that is now.

use super::write::Places;
use crate::inspect::behind_first_number;
use crate::pass::{Parts, PassError, expect_function_size};
use crate::splice::{Splice, instructions};
use wasm_encoder::{Encode, Instruction, reencode::Reencode};
use wasmparser::{BlockType, FunctionBody, Operator};

/// Rewrites a function.
pub(super) fn rewrite(
    parts: &Parts<'_>,
    places: &Places<'_>,
    body: &FunctionBody<'_>,
    shift: Option<u32>,
) -> Result<Vec<u8>, PassError> {
    let range = body.range();
    let mut operators = body.get_operators_reader()?;
    let mut splice = Splice::new(parts.wasm, range.start as usize..range.end as usize);
    // Where the instruction in front begins, if it is a constant.
    let mut before: Option<(usize, i32)> = None;
    while !operators.eof() {
        let start = operators.original_position() as usize;
        let operator = operators.read()?;
        let end = operators.original_position() as usize;
        let now = match operator {
            Operator::I32Const { value } => Some((start, value)),
            _ => None,
        };
        match operator {
            Operator::Call { function_index } => {
                let function = places.function(function_index)?;
                if function != function_index {
                    let like = parts.wasm.get(start..end).unwrap_or_default();
                    splice.replace(start..end, &crate::splice::call(function, like));
                }
            }
            Operator::CallIndirect { type_index, table_index }
            | Operator::ReturnCallIndirect { type_index, table_index } => {
                let ty = places.ty(type_index)?;
                let mut from = start;
                let mut bytes = Vec::new();
                match (shift, before) {
                    (Some(shift), Some((constant, value))) => {
                        from = constant;
                        Instruction::I32Const(value.wrapping_sub(shift.cast_signed())).encode(&mut bytes);
                    }
                    (Some(shift), None) => {
                        bytes = instructions(&[Instruction::I32Const(shift.cast_signed()), Instruction::I32Sub]);
                    }
                    (None, _) if ty == type_index => {
                        before = now;
                        continue;
                    }
                    (None, _) => {}
                }
                let own = parts.wasm.get(start..end).unwrap_or_default();
                bytes.extend(own.first());
                ty.encode(&mut bytes);
                if behind_first_number(own) == 1 {
                    bytes.push(table_index as u8);
                } else {
                    table_index.encode(&mut bytes);
                }
                splice.replace(from..end, &bytes);
            }
            Operator::GlobalGet { .. }
            | Operator::GlobalSet { .. }
            | Operator::RefFunc { .. }
            | Operator::ReturnCall { .. }
            | Operator::Block { blockty: BlockType::FuncType(_) }
            | Operator::Loop { blockty: BlockType::FuncType(_) }
            | Operator::If { blockty: BlockType::FuncType(_) } => {
                let instruction = Remap(places).instruction(operator)?;
                splice.replace(start..end, &instructions(&[instruction]));
            }
            _ => {}
        }
        before = now;
    }
    let bytes = splice.finish();
    expect_function_size(bytes.len(), range.start)?;
    Ok(bytes)
}

/// Where things are now.
pub(super) struct Remap<'a>(pub(super) &'a Places<'a>);

impl Reencode for Remap<'_> {
    type Error = PassError;

    fn function_index(&mut self, function: u32) -> Result<u32, wasm_encoder::reencode::Error<PassError>> {
        self.0.function(function).map_err(wasm_encoder::reencode::Error::UserError)
    }

    fn global_index(&mut self, global: u32) -> Result<u32, wasm_encoder::reencode::Error<PassError>> {
        self.0.global(global).map_err(wasm_encoder::reencode::Error::UserError)
    }

    fn type_index(&mut self, ty: u32) -> Result<u32, wasm_encoder::reencode::Error<PassError>> {
        self.0.ty(ty).map_err(wasm_encoder::reencode::Error::UserError)
    }
}
