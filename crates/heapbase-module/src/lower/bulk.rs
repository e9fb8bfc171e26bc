//! Copies and fills of memory.
//!
//! ```text
//! memory.copy                                  call $memory.copy
//! i32.const 8 memory.copy                      i64.load align=1 i64.store align=1
//! i32.const 0 i32.const 4 memory.fill          i32.const 0 i32.store align=1
//! ```
//!
//! Up to [`INLINE`] bytes, where their number is a constant, the copy is written out: loads first, then the stores from the last
//! one to the first. The last one traps if any of them would, and nothing has been written yet.
//!
//! The two functions touch the last byte of the range that lies higher before they write anything, so they trap where the
//! instruction traps, and as it does: by an access outside memory. They do not ask for the memory's size: a pass that answers
//! `memory.size` with something else, as one does for an arena, changes nothing for them. What an access at `address + n - 1` cannot
//! tell, the sum past 4 GiB and `n = 0` behind the end, they ask for themselves.
//!
//! ```text
//! up to 16 bytes      two loads that overlap, two stores that overlap: no loop, and no question which way
//! more, forwards      the last 8 bytes are loaded; 32 bytes a turn, then 8 a turn, as long as they begin before the last 8;
//!                     the last 8 are stored. A turn may reach into them: they come last, and from before the first store
//! more, backwards     the same from the other end, where the target begins inside of the source
//! ```
//!
//! Words of 8 bytes need not be aligned: on machines that run nodes that costs nothing but at the edge of a page.
//!
//! Against the instruction on wasmtime 36, which calls the machine's `memmove` and `memset` (`bench/passes`, time as a ratio):
//!
//! | bytes | copy | fill | written out |
//! | --- | --- | --- | --- |
//! | 1 to 32 | 0.4 to 0.5 | 0.4 to 0.5 | 0.07 to 0.14 |
//! | 64 | 0.7 | 0.5 | |
//! | 128 | 1.1 | 0.7 | |
//! | 256 | 1.5 | 1.1 | |
//! | 1 KiB to 1 MiB | 1.7 to 2.5 | 2.1 to 2.5 | |
//!
//! Long ones are at one store of 8 bytes a cycle, 40 GB/s, where `memmove` stores 32 bytes: there is no wider store in the MVP. Long fills
//! align what they write, which takes a seventh off. For copies the same, with 64 bytes a turn and all loads before the stores, took as
//! much off those of 4 KiB and more, but the variables it needs made all short ones slower by a tenth, and backwards ones by half. Go's maps, text
//! and copies of up to 300 bytes take 0.93 to 0.98 of the time they took.
//!
//! More than [`INLINE`] bytes written out would win nothing: from 48 on the function is as fast, and each 8 bytes are 12 bytes of code at
//! each place.

use crate::splice::memory;
use wasm_encoder::{BlockType, Function, Instruction, InstructionSink, ValType};

/// The largest copy or fill that is written out.
pub(super) const INLINE: u32 = 32;

/// From so many bytes on a fill aligns what it writes. Less is over before that pays.
const LONG_FILL: i32 = 1000;

/// Traps by an access outside memory: an offset of `0xffff_ffff` from an address that is not 0 lies past 4 GiB.
pub(super) fn trap(code: &mut InstructionSink<'_>) {
    code.i32_const(-1).i32_load8_u(memory(u32::MAX, 0)).drop().unreachable();
}

/// Leaves the function after `n = 0` bytes at `address`, which traps only behind the end of memory.
fn nothing_at(code: &mut InstructionSink<'_>, address: u32) {
    code.local_get(address).if_(BlockType::Empty);
    code.local_get(address).i32_const(1).i32_sub().i32_load8_u(memory(0, 0)).drop();
    code.end().return_();
}

const TO: u32 = 0;
const FROM: u32 = 1;
const SIZE: u32 = 2;

/// `memory.copy` as a function.
pub(super) fn copy() -> Function {
    const HIGHER: u32 = 3;
    const LAST: u32 = 4;
    const WORD: u32 = 5;
    const HALF: u32 = 6;
    let mut function = Function::new([(2, ValType::I32), (1, ValType::I64), (1, ValType::I32)]);
    let mut code = function.instructions();
    code.local_get(TO).local_get(FROM).local_get(TO).local_get(FROM).i32_gt_u().select().local_set(HIGHER);
    code.local_get(SIZE).i32_eqz().if_(BlockType::Empty);
    nothing_at(&mut code, HIGHER);
    code.end();
    code.local_get(HIGHER).local_get(SIZE).i32_const(1).i32_sub().i32_add().local_tee(LAST);
    code.local_get(HIGHER).i32_lt_u().if_(BlockType::Empty);
    trap(&mut code);
    code.end();
    code.local_get(LAST).i32_load8_u(memory(0, 0)).drop();

    code.local_get(SIZE).i32_const(16).i32_le_u().if_(BlockType::Empty);
    {
        // Both ends at once: for 8 to 16, 4 to 7, 2 to 3 bytes, and one.
        code.local_get(SIZE).i32_const(8).i32_ge_u().if_(BlockType::Empty);
        code.local_get(FROM).local_get(SIZE).i32_add().i32_const(8).i32_sub().i64_load(memory(0, 0)).local_set(WORD);
        code.local_get(TO).local_get(FROM).i64_load(memory(0, 0)).i64_store(memory(0, 0));
        code.local_get(TO).local_get(SIZE).i32_add().i32_const(8).i32_sub().local_get(WORD).i64_store(memory(0, 0));
        code.return_().end();
        code.local_get(SIZE).i32_const(4).i32_ge_u().if_(BlockType::Empty);
        code.local_get(FROM).local_get(SIZE).i32_add().i32_const(4).i32_sub().i32_load(memory(0, 0)).local_set(HALF);
        code.local_get(TO).local_get(FROM).i32_load(memory(0, 0)).i32_store(memory(0, 0));
        code.local_get(TO).local_get(SIZE).i32_add().i32_const(4).i32_sub().local_get(HALF).i32_store(memory(0, 0));
        code.return_().end();
        code.local_get(FROM).local_get(SIZE).i32_add().i32_const(1).i32_sub().i32_load8_u(memory(0, 0));
        code.local_set(HALF);
        code.local_get(SIZE).i32_const(1).i32_gt_u().if_(BlockType::Empty);
        code.local_get(TO).local_get(FROM).i32_load16_u(memory(0, 0)).i32_store16(memory(0, 0));
        code.end();
        code.local_get(TO).local_get(SIZE).i32_add().i32_const(1).i32_sub().local_get(HALF).i32_store8(memory(0, 0));
        code.return_();
    }
    code.end();

    // From here on `SIZE` is what still lies between the ends.
    code.local_get(TO).local_get(FROM).i32_sub().local_get(SIZE).i32_ge_u().if_(BlockType::Empty);
    {
        code.local_get(SIZE).i32_const(8).i32_sub().local_tee(SIZE).local_get(FROM).i32_add();
        code.i64_load(memory(0, 0)).local_set(WORD);
        code.local_get(TO).local_get(SIZE).i32_add().local_set(LAST);
        code.local_get(SIZE).i32_const(32).i32_ge_u().if_(BlockType::Empty);
        code.loop_(BlockType::Empty);
        for place in [0, 8, 16, 24] {
            code.local_get(TO).local_get(FROM).i64_load(memory(place, 0)).i64_store(memory(place, 0));
        }
        code.local_get(TO).i32_const(32).i32_add().local_set(TO);
        code.local_get(FROM).i32_const(32).i32_add().local_set(FROM);
        code.local_get(SIZE).i32_const(32).i32_sub().local_tee(SIZE).i32_const(32).i32_ge_u().br_if(0);
        code.end().end();
        code.local_get(SIZE).if_(BlockType::Empty);
        code.loop_(BlockType::Empty);
        code.local_get(TO).local_get(FROM).i64_load(memory(0, 0)).i64_store(memory(0, 0));
        code.local_get(TO).i32_const(8).i32_add().local_set(TO);
        code.local_get(FROM).i32_const(8).i32_add().local_set(FROM);
        code.local_get(SIZE).i32_const(8).i32_sub().local_tee(SIZE).i32_const(0).i32_gt_s().br_if(0);
        code.end().end();
        code.local_get(LAST).local_get(WORD).i64_store(memory(0, 0));
        code.return_();
    }
    code.end();

    // `HIGHER` and `LAST` are the places of the next word in the target and in the source.
    code.local_get(FROM).i64_load(memory(0, 0)).local_set(WORD);
    code.local_get(SIZE).i32_const(8).i32_sub().local_tee(SIZE).local_get(TO).i32_add().local_set(HIGHER);
    code.local_get(SIZE).local_get(FROM).i32_add().local_set(LAST);
    code.local_get(SIZE).i32_const(32).i32_ge_u().if_(BlockType::Empty);
    code.loop_(BlockType::Empty);
    code.local_get(HIGHER).local_get(LAST).i64_load(memory(0, 0)).i64_store(memory(0, 0));
    code.local_get(HIGHER).i32_const(24).i32_sub().local_set(HIGHER);
    code.local_get(LAST).i32_const(24).i32_sub().local_set(LAST);
    for place in [16, 8, 0] {
        code.local_get(HIGHER).local_get(LAST).i64_load(memory(place, 0)).i64_store(memory(place, 0));
    }
    code.local_get(HIGHER).i32_const(8).i32_sub().local_set(HIGHER);
    code.local_get(LAST).i32_const(8).i32_sub().local_set(LAST);
    code.local_get(SIZE).i32_const(32).i32_sub().local_tee(SIZE).i32_const(32).i32_ge_u().br_if(0);
    code.end().end();
    code.local_get(SIZE).if_(BlockType::Empty);
    code.loop_(BlockType::Empty);
    code.local_get(HIGHER).local_get(LAST).i64_load(memory(0, 0)).i64_store(memory(0, 0));
    code.local_get(HIGHER).i32_const(8).i32_sub().local_set(HIGHER);
    code.local_get(LAST).i32_const(8).i32_sub().local_set(LAST);
    code.local_get(SIZE).i32_const(8).i32_sub().local_tee(SIZE).i32_const(0).i32_gt_s().br_if(0);
    code.end().end();
    code.local_get(TO).local_get(WORD).i64_store(memory(0, 0)).end();
    function
}

/// Traps unless `SIZE` bytes, more than none, lie inside of memory at `TO`; `last` becomes the last one's address.
pub(super) fn expect_room(code: &mut InstructionSink<'_>, size: u32, last: u32) {
    code.local_get(TO).local_get(size).i32_const(1).i32_sub().i32_add().local_tee(last);
    code.local_get(TO).i32_lt_u().if_(BlockType::Empty);
    trap(code);
    code.end();
}

/// `memory.fill` as a function.
pub(super) fn fill() -> Function {
    const BYTE: u32 = 1;
    const LAST: u32 = 3;
    const PART: u32 = 4;
    const WORD: u32 = 5;
    let mut function = Function::new([(2, ValType::I32), (1, ValType::I64)]);
    let mut code = function.instructions();
    code.local_get(SIZE).i32_eqz().if_(BlockType::Empty);
    nothing_at(&mut code, TO);
    code.end();
    expect_room(&mut code, SIZE, LAST);
    // The last byte is the first that is written: what does not fit traps here.
    code.local_get(LAST).local_get(BYTE).i32_store8(memory(0, 0));
    code.local_get(BYTE).i32_const(0xff).i32_and().i64_extend_i32_u();
    code.i64_const(0x0101_0101_0101_0101).i64_mul().local_set(WORD);
    code.local_get(SIZE).i32_const(8).i32_ge_u().if_(BlockType::Empty);
    {
        code.local_get(LAST).i32_const(7).i32_sub().local_get(WORD).i64_store(memory(0, 0));
        code.local_get(SIZE).i32_const(8).i32_sub().local_tee(SIZE).i32_const(32).i32_ge_u().if_(BlockType::Empty);
        // A store across two lines of the cache is two: the target becomes a multiple of 8.
        code.local_get(SIZE).i32_const(LONG_FILL).i32_ge_u().if_(BlockType::Empty);
        code.local_get(TO).local_get(WORD).i64_store(memory(0, 0));
        code.i32_const(8).local_get(TO).i32_const(7).i32_and().i32_sub().local_set(PART);
        code.local_get(TO).local_get(PART).i32_add().local_set(TO);
        code.local_get(SIZE).local_get(PART).i32_sub().local_set(SIZE);
        code.end();
        code.loop_(BlockType::Empty);
        for place in [0, 8, 16, 24] {
            code.local_get(TO).local_get(WORD).i64_store(memory(place, 0));
        }
        code.local_get(TO).i32_const(32).i32_add().local_set(TO);
        code.local_get(SIZE).i32_const(32).i32_sub().local_tee(SIZE).i32_const(32).i32_ge_u().br_if(0);
        code.end().end();
        code.local_get(SIZE).if_(BlockType::Empty);
        code.loop_(BlockType::Empty);
        code.local_get(TO).local_get(WORD).i64_store(memory(0, 0));
        code.local_get(TO).i32_const(8).i32_add().local_set(TO);
        code.local_get(SIZE).i32_const(8).i32_sub().local_tee(SIZE).i32_const(0).i32_gt_s().br_if(0);
        code.end().end();
        code.return_();
    }
    code.end();
    code.local_get(SIZE).i32_const(4).i32_ge_u().if_(BlockType::Empty);
    code.local_get(TO).local_get(WORD).i64_store32(memory(0, 0));
    code.local_get(LAST).i32_const(3).i32_sub().local_get(WORD).i64_store32(memory(0, 0));
    code.return_().end();
    // Three at most: the last one is written.
    code.local_get(TO).local_get(BYTE).i32_store8(memory(0, 0));
    code.local_get(TO).local_get(SIZE).i32_const(1).i32_shr_u().i32_add().local_get(BYTE).i32_store8(memory(0, 0));
    code.end();
    function
}

/// The accesses that cover `size` bytes, from the first to the last: place, and bytes of each. The last one may overlap the
/// one before it.
fn accesses(size: u32) -> Vec<(u32, u32)> {
    let mut list = Vec::new();
    let mut at = 0;
    while at < size {
        let left = size - at;
        let width = match left {
            8.. => 8,
            5..=7 if size >= 8 => 8,
            3 if size >= 4 => 4,
            4..=7 => 4,
            2..=3 => 2,
            _ => 1,
        };
        // Back to where it ends with the last byte.
        at = at.min(size - width);
        list.push((at, width));
        at += width;
    }
    list
}

fn load(width: u32, offset: u32) -> Instruction<'static> {
    match width {
        8 => Instruction::I64Load(memory(offset, 0)),
        4 => Instruction::I64Load32U(memory(offset, 0)),
        2 => Instruction::I64Load16U(memory(offset, 0)),
        _ => Instruction::I64Load8U(memory(offset, 0)),
    }
}

fn store(width: u32, offset: u32) -> Instruction<'static> {
    match width {
        8 => Instruction::I64Store(memory(offset, 0)),
        4 => Instruction::I64Store32(memory(offset, 0)),
        2 => Instruction::I64Store16(memory(offset, 0)),
        _ => Instruction::I64Store8(memory(offset, 0)),
    }
}

/// A copy of `size` bytes from 1 to [`INLINE`], written out. On the stack are target and source. `local` gives a variable: the first
/// and the second of i32, or one of i64 by its number from 0 on.
pub(super) fn copy_inline(
    size: u32,
    mut local: impl FnMut(ValType, u32) -> Option<u32>,
) -> Option<Vec<Instruction<'static>>> {
    let accesses = accesses(size);
    let (&(last, width), before) = accesses.split_last()?;
    if before.is_empty() {
        return Some(vec![load(width, 0), store(width, 0)]);
    }
    let (to, from) = (local(ValType::I32, 0)?, local(ValType::I32, 1)?);
    let mut code = vec![Instruction::LocalSet(from), Instruction::LocalSet(to)];
    for (number, (place, width)) in before.iter().enumerate() {
        code.push(Instruction::LocalGet(from));
        code.push(load(*width, *place));
        code.push(Instruction::LocalSet(local(ValType::I64, number as u32)?));
    }
    code.extend([Instruction::LocalGet(to), Instruction::LocalGet(from), load(width, last), store(width, last)]);
    for (number, (place, width)) in before.iter().enumerate().rev() {
        code.push(Instruction::LocalGet(to));
        code.push(Instruction::LocalGet(local(ValType::I64, number as u32)?));
        code.push(store(*width, *place));
    }
    Some(code)
}

/// A fill of `size` bytes from 1 to [`INLINE`] with a constant, written out. On the stack is the target.
pub(super) fn fill_inline(
    size: u32,
    value: u8,
    mut local: impl FnMut(ValType, u32) -> Option<u32>,
) -> Option<Vec<Instruction<'static>>> {
    let word = |width: u32| {
        let all = u64::from(value) * 0x0101_0101_0101_0101;
        // As the shortest constant that ends in those bytes.
        let unused = 64 - 8 * width;
        Instruction::I64Const((all << unused).cast_signed() >> unused)
    };
    let accesses = accesses(size);
    let (&(last, width), before) = accesses.split_last()?;
    if before.is_empty() {
        return Some(vec![word(width), store(width, 0)]);
    }
    let to = local(ValType::I32, 0)?;
    let mut code = vec![Instruction::LocalTee(to), word(width), store(width, last)];
    for (place, width) in before.iter().rev() {
        code.extend([Instruction::LocalGet(to), word(*width), store(*width, *place)]);
    }
    Some(code)
}
