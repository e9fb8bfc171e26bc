//! Finds references to functions in code.

use super::error::{ConvertError, invalid};
use crate::splice::call;
use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{FunctionBody, Operator};

/// An instruction that names a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Call(u32),
    ReturnCall(u32),
    RefFunc(u32),
}

impl Reference {
    pub(super) fn of(operator: &Operator<'_>) -> Option<Self> {
        match operator {
            Operator::Call { function_index } => Some(Self::Call(*function_index)),
            Operator::ReturnCall { function_index } => Some(Self::ReturnCall(*function_index)),
            Operator::RefFunc { function_index } => Some(Self::RefFunc(*function_index)),
            _ => None,
        }
    }

    pub(super) fn function(self) -> u32 {
        match self {
            Self::Call(function) | Self::ReturnCall(function) | Self::RefFunc(function) => function,
        }
    }

    /// The same instruction with another function; `like` is the one it replaces.
    pub(super) fn to(self, function: u32, like: &[u8]) -> Vec<u8> {
        const RETURN_CALL: u8 = 0x12;
        const REF_FUNC: u8 = 0xd2;
        let code = match self {
            Self::Call(_) => return call(function, like),
            Self::ReturnCall(_) => RETURN_CALL,
            Self::RefFunc(_) => REF_FUNC,
        };
        let mut bytes = vec![code];
        function.encode(&mut bytes);
        bytes
    }
}

/// Whether an instruction changes which function stands where in a table.
pub(super) fn writes_table(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableInit { .. }
            | Operator::TableCopy { .. }
            | Operator::TableFill { .. }
    )
}

/// Hands over each instruction that names a function: where the instruction in front of it begins, where it lies itself, and
/// what it is.
pub(super) fn each_reference(
    body: &FunctionBody<'_>,
    mut f: impl FnMut(usize, Range<usize>, Reference) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    let mut operators = body.get_operators_reader().map_err(|error| invalid(&error))?;
    let mut previous = operators.original_position() as usize;
    while !operators.eof() {
        let start = operators.original_position() as usize;
        let operator = operators.read().map_err(|error| invalid(&error))?;
        if let Some(reference) = Reference::of(&operator) {
            f(previous, start..operators.original_position() as usize, reference)?;
        }
        previous = start;
    }
    Ok(())
}
