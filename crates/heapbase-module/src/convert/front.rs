//! Runtimes that keep something in front of their blocks.
//!
//! The allocator of newer sp-io writes two bytes in front of each block that the host gives it: how far the block was moved to be
//! aligned. It reads them again to free the block. In the host's heap they fall into the block's header, which has room
//! for them; an allocator without headers has another block there. So such a runtime is refused.
//!
//! ```text
//! local.get $block              local.get $block
//! local.get $block              local.get $block
//! i32.const -2                  i32.const 2            ;; as wasm-opt has it
//! i32.add                       i32.sub
//! i32.load16_u align=1          i32.load16_u align=1
//! i32.sub                       i32.sub
//! call $free                    call $free
//! ```

use super::survey::Survey;
use wasmparser::{FunctionBody, Operator};

/// Where code reads two bytes in front of an address and subtracts them from it, as a byte offset into the module.
pub(super) fn read_in_front(survey: &Survey<'_>) -> Option<usize> {
    survey.bodies.iter().find_map(in_body)
}

fn in_body(body: &FunctionBody<'_>) -> Option<usize> {
    let mut seen = Seen::Nothing;
    for operator in body.get_operators_reader().ok()?.into_iter_with_offsets() {
        let (operator, offset) = operator.ok()?;
        seen = match (seen, operator) {
            (_, Operator::I32Const { value: value @ (-2 | 2) }) => Seen::Distance(value),
            (Seen::Distance(-2), Operator::I32Add) | (Seen::Distance(2), Operator::I32Sub) => Seen::Address,
            (Seen::Address, Operator::I32Load16U { memarg }) if memarg.offset == 0 && memarg.align == 0 => Seen::Load,
            (Seen::Load, Operator::I32Sub) => return Some(offset as usize),
            _ => Seen::Nothing,
        };
    }
    None
}

/// As much of the sequence as has been seen.
#[derive(Clone, Copy)]
enum Seen {
    Nothing,
    Distance(i32),
    Address,
    Load,
}
