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
//! where `local.tee` may stand in between. What was compiled without optimisation takes other ways, over the stack in memory and
//! through functions of a line each. So two more signs count: a short function that calls `free` and has an address less 2 and a
//! 16-bit load without alignment, wherever they stand; and code without a single `local.tee`, which no compiler that optimises writes, that
//! has such a load. A runtime that does so for another reason gets the 8 bytes too, and only loses them.

use wasmparser::Operator;

/// As many as a header of the host's allocator has, which keeps the blocks aligned to 8.
const HEADER: u32 = 8;

/// Instructions of a function that does nothing but free. In long ones, into which `free` was put, the signs meet by chance.
const SHORT: u32 = 100;

/// Looks at a module's instructions, one after the other, for code that reads two bytes in front of an address and subtracts them
/// from it. What ends a function ends the sequence.
#[derive(Default)]
pub(super) struct Front {
    seen: Seen,
    found: bool,
    function: Signs,
    tees: bool,
    loads: bool,
}

/// What one function has, in any order.
#[derive(Clone, Copy, Default)]
struct Signs {
    instructions: u32,
    two_less: bool,
    load: bool,
    frees: bool,
}

impl Front {
    /// A function begins.
    pub(super) fn begin(&mut self) {
        self.function = Signs::default();
    }

    /// Looks at the next instruction; `frees` says whether it calls the host's `free`.
    pub(super) fn see(&mut self, operator: &Operator<'_>, frees: bool) {
        let is_load = matches!(operator, Operator::I32Load16U { memarg } if memarg.offset == 0 && memarg.align == 0);
        let is_two_less = matches!(
            (self.seen, operator),
            (Seen::Distance(-2), Operator::I32Add) | (Seen::Distance(2), Operator::I32Sub)
        );
        let function = &mut self.function;
        function.instructions += 1;
        function.two_less |= is_two_less;
        function.load |= is_load;
        function.frees |= frees;
        self.found |= function.instructions <= SHORT && function.two_less && function.load && function.frees;
        self.loads |= is_load;
        self.tees |= matches!(operator, Operator::LocalTee { .. });
        self.seen = match (self.seen, operator) {
            (_, Operator::I32Const { value: value @ (-2 | 2) }) => Seen::Distance(*value),
            _ if is_two_less => Seen::Address,
            (Seen::Address, _) if is_load => Seen::Load,
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
        if self.found || (self.loads && !self.tees) { HEADER } else { 0 }
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
