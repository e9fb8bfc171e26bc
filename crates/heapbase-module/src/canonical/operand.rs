//! What instructions do with floating point numbers.

use wasmparser::Operator;

/// What an instruction does with its operands, as far as bits of a NaN go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Computes an f32 (`false`) or f64 (`true`) from one or two numbers; a NaN may have any bits.
    Computes { operands: u8, double: bool },
    /// Looks at one or two numbers, and takes all NaNs for one.
    Looks { operands: u8 },
    /// Changes the sign of one number.
    Signs,
    /// Takes a number, and the sign of another one.
    CopiesSign,
    /// Anything else: whatever it takes, it may show.
    Other,
}

/// What an instruction does.
pub(super) fn of(operator: &Operator<'_>) -> Use {
    use Operator as O;
    match operator {
        O::F32Add | O::F32Sub | O::F32Mul | O::F32Div | O::F32Min | O::F32Max => {
            Use::Computes { operands: 2, double: false }
        }
        O::F64Add | O::F64Sub | O::F64Mul | O::F64Div | O::F64Min | O::F64Max => {
            Use::Computes { operands: 2, double: true }
        }
        O::F32Sqrt | O::F32Ceil | O::F32Floor | O::F32Trunc | O::F32Nearest | O::F32DemoteF64 => {
            Use::Computes { operands: 1, double: false }
        }
        O::F64Sqrt | O::F64Ceil | O::F64Floor | O::F64Trunc | O::F64Nearest | O::F64PromoteF32 => {
            Use::Computes { operands: 1, double: true }
        }
        O::F32Eq
        | O::F32Ne
        | O::F32Lt
        | O::F32Gt
        | O::F32Le
        | O::F32Ge
        | O::F64Eq
        | O::F64Ne
        | O::F64Lt
        | O::F64Gt
        | O::F64Le
        | O::F64Ge => Use::Looks { operands: 2 },
        O::I32TruncF32S
        | O::I32TruncF32U
        | O::I32TruncF64S
        | O::I32TruncF64U
        | O::I64TruncF32S
        | O::I64TruncF32U
        | O::I64TruncF64S
        | O::I64TruncF64U
        | O::I32TruncSatF32S
        | O::I32TruncSatF32U
        | O::I32TruncSatF64S
        | O::I32TruncSatF64U
        | O::I64TruncSatF32S
        | O::I64TruncSatF32U
        | O::I64TruncSatF64S
        | O::I64TruncSatF64U => Use::Looks { operands: 1 },
        O::F32Abs | O::F32Neg | O::F64Abs | O::F64Neg => Use::Signs,
        O::F32Copysign | O::F64Copysign => Use::CopiesSign,
        _ => Use::Other,
    }
}
