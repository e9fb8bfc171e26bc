//! Runtimes that keep something in front of their blocks.
//!
//! The allocator of newer sp-io writes two bytes in front of each block that the host gives it: how far the block was moved to be
//! aligned. It reads them again to free the block. In the host's heap they fall into the block's header of 8 bytes, whose last 3
//! the host does not use, and sp-io's source counts on that; an allocator without headers has another block there. So such a
//! runtime gets 8 bytes more for each block, in front of it. They are found by the code that frees:
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
//!
//! where `local.tee` may stand in between. A runtime that does so for another reason gets the 8 bytes too, and only loses them.

use wasmparser::Operator;

/// As many as a header of the host's allocator has, which keeps the blocks aligned to 8.
const HEADER: u32 = 8;

/// Looks at a module's instructions, one after the other, for code that reads two bytes in front of an address and subtracts them
/// from it. What ends a function ends the sequence.
#[derive(Default)]
pub(super) struct Front {
    seen: Seen,
    found: bool,
}

impl Front {
    /// Looks at the next instruction.
    pub(super) fn see(&mut self, operator: &Operator<'_>) {
        self.seen = match (self.seen, operator) {
            (_, Operator::I32Const { value: value @ (-2 | 2) }) => Seen::Distance(*value),
            (Seen::Distance(-2), Operator::I32Add) | (Seen::Distance(2), Operator::I32Sub) => Seen::Address,
            (Seen::Address, Operator::I32Load16U { memarg }) if memarg.offset == 0 && memarg.align == 0 => Seen::Load,
            (seen @ (Seen::Address | Seen::Load), Operator::LocalTee { .. }) => seen,
            (Seen::Load, Operator::I32Sub) => {
                self.found = true;
                Seen::Nothing
            }
            _ => Seen::Nothing,
        };
    }

    /// Bytes in front of each block that the runtime may write to.
    pub(super) fn bytes(&self) -> u32 {
        if self.found { HEADER } else { 0 }
    }
}

/// As much of the sequence as has been seen.
#[derive(Clone, Copy, Default)]
enum Seen {
    #[default]
    Nothing,
    Distance(i32),
    Address,
    Load,
}
