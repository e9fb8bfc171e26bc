//! Data segments that the module copies itself.
//!
//! ```text
//! (data $d "some bytes")                 (global $left (mut i32) (i32.const 10))
//! (memory.init $d …)                     (call $memory.init …)
//! (data.drop $d)                         (global.set $left (i32.const 0))
//! ```
//!
//! The first release of WebAssembly copies every segment into memory before anything runs, and knows no other place for data. So the
//! bytes become code: a function gives the segment's 8-byte word of a number, by `br_table` and one constant for each distinct word that
//! is not zero, about 12 bytes for 8. Another place in memory would have to be known to be free, which no pass can know that does
//! not know the language, and a page more at the end would be one that the program believes to get from `memory.grow`.
//!
//! `memory.init` of a segment that was copied before the start, or dropped, only succeeds for no bytes.

use super::bulk::{expect_room, trap};
use crate::splice::memory;
use wasm_encoder::{BlockType, Function, ValType};

/// Words in one function. Some thousand blocks in each other are more than engines have to bear otherwise.
pub(super) const WORDS: usize = 256;

/// `(number) -> word`, for one part of a segment; numbers count from the part's beginning.
pub(super) fn words(part: &[u8]) -> Function {
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        i64::from_le_bytes(word)
    };
    let all: Vec<i64> = part.chunks(8).map(word).collect();
    let mut distinct: Vec<i64> = all.iter().copied().filter(|word| *word != 0).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let zero = distinct.len() as u32;
    let targets: Vec<u32> =
        all.iter().map(|word| distinct.binary_search(word).map_or(zero, |place| place as u32)).collect();
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for _ in 0..=zero {
        code.block(BlockType::Empty);
    }
    code.local_get(0).br_table(targets, zero).end();
    for word in distinct {
        code.i64_const(word).return_().end();
    }
    code.i64_const(0).end();
    function
}

/// `(number) -> word`, for a segment in several parts.
pub(super) fn dispatch(parts: &[u32]) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let last = parts.len() as u32 - 1;
    for _ in 0..=last {
        code.block(BlockType::Empty);
    }
    code.local_get(0).i32_const(WORDS.ilog2() as i32).i32_shr_u().br_table(0..last, last).end();
    for (number, part) in parts.iter().enumerate() {
        code.local_get(0).i32_const(WORDS as i32 - 1).i32_and().call(*part).return_();
        if number as u32 != last {
            code.end();
        }
    }
    code.end();
    function
}

/// What is left of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Left {
    /// Nothing, from the beginning.
    Nothing,
    /// All of these bytes, or nothing once it was dropped: what this global says.
    Global(u32),
}

/// `memory.init` of a segment as a function; `words` gives its words.
pub(super) fn init(left: Left, words: Option<u32>) -> Function {
    const TO: u32 = 0;
    const FROM: u32 = 1;
    const SIZE: u32 = 2;
    const LAST: u32 = 3;
    let mut function = Function::new([(1, ValType::I32)]);
    let mut code = function.instructions();
    code.local_get(FROM).i64_extend_i32_u().local_get(SIZE).i64_extend_i32_u().i64_add();
    match left {
        Left::Nothing => code.i64_const(0),
        Left::Global(global) => code.global_get(global).i64_extend_i32_u(),
    };
    code.i64_gt_u().if_(BlockType::Empty);
    trap(&mut code);
    code.end();
    code.local_get(SIZE).i32_eqz().if_(BlockType::Empty);
    code.local_get(TO).if_(BlockType::Empty);
    code.local_get(TO).i32_const(1).i32_sub().i32_load8_u(memory(0, 0)).drop();
    code.end().return_().end();
    let Some(words) = words else {
        code.end();
        return function;
    };
    expect_room(&mut code, SIZE, LAST);
    code.local_get(LAST).i32_load8_u(memory(0, 0)).drop();
    code.loop_(BlockType::Empty);
    {
        code.local_get(FROM).i32_const(7).i32_and().i32_eqz();
        code.local_get(SIZE).i32_const(8).i32_ge_u().i32_and().if_(BlockType::Empty);
        code.local_get(TO).local_get(FROM).i32_const(3).i32_shr_u().call(words).i64_store(memory(0, 0));
        code.local_get(TO).i32_const(8).i32_add().local_set(TO);
        code.local_get(FROM).i32_const(8).i32_add().local_set(FROM);
        code.local_get(SIZE).i32_const(8).i32_sub().local_tee(SIZE).br_if(1).return_();
        code.end();
        code.local_get(TO);
        code.local_get(FROM).i32_const(3).i32_shr_u().call(words);
        code.local_get(FROM).i32_const(7).i32_and().i32_const(3).i32_shl().i64_extend_i32_u().i64_shr_u();
        code.i64_store8(memory(0, 0));
        code.local_get(TO).i32_const(1).i32_add().local_set(TO);
        code.local_get(FROM).i32_const(1).i32_add().local_set(FROM);
        code.local_get(SIZE).i32_const(1).i32_sub().local_tee(SIZE).br_if(0);
    }
    code.end().end();
    function
}
