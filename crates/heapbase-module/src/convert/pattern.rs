//! The runtime's own `realloc`, found in its code.
//!
//! Rust's global allocator of a legacy runtime has no `realloc`: growing a vector is compiled to
//!
//! ```text
//! local.get SIZE   MALLOC   local.tee NEW   i32.eqz   br_if …
//! local.get NEW   local.get OLD   LENGTH   call memcpy   drop   local.get OLD   FREE
//! ```
//!
//! where MALLOC and FREE are calls of the host's functions, of a shim, or of a shim through a static function pointer, and `memcpy`
//! was seen to copy memory and to do nothing else ([`routine`](super::routine)). Since OLD is given back at the end, it may as
//! well be grown where it is, if there is room; then NEW is OLD and there is nothing to copy or free. The match is exact: nothing
//! but this may stand in between.

use super::survey::Survey;
use std::{collections::BTreeMap, ops::Range};
use wasmparser::{MemArgTarget, Operator, ValType};

/// Bytes of code, and the instruction there.
pub(super) type Placed<'a> = (Operator<'a>, usize);

/// How the allocator is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Via {
    /// `call`.
    Direct,
    /// `i32.const 0; i32.load offset=POINTER; call_indirect (type TYPE)`, or the same with the address in the constant.
    Pointer {
        /// Address of the static that holds the table index.
        pointer: u32,
        /// Type index of the call.
        ty: u32,
    },
}

/// One place where a block is grown by allocating, copying and freeing.
#[derive(Debug)]
pub(super) struct Growth {
    pub(super) old: u32,
    pub(super) new: u32,
    pub(super) malloc: Via,
    pub(super) malloc_range: Range<usize>,
    pub(super) copy: u32,
    pub(super) copy_range: Range<usize>,
    pub(super) free: Via,
    pub(super) free_range: Range<usize>,
}

/// What the functions of a runtime that matter here are.
pub(super) struct Known<'a> {
    pub(super) survey: &'a Survey<'a>,
    /// Functions that only pass on to the host's.
    pub(super) malloc_shims: Vec<u32>,
    pub(super) free_shims: Vec<u32>,
    /// Functions that were seen to copy memory.
    copies: Vec<u32>,
    /// Places of shims (or imports) in table 0.
    pub(super) malloc_place: Option<u32>,
    pub(super) free_place: Option<u32>,
}

impl<'a> Known<'a> {
    /// `copies` are the functions that copy memory, and do nothing else.
    pub(super) fn new(survey: &'a Survey<'a>, copies: Vec<u32>) -> Self {
        let own = || (survey.imported_functions..).take(survey.bodies.len());
        let shims = |is: &dyn Fn(u32) -> bool| -> Vec<u32> {
            own().filter(|function| forwards(survey, *function).is_some_and(is)).collect()
        };
        let malloc_shims = shims(&|function| survey.is_malloc(function));
        let free_shims = shims(&|function| survey.is_free(function));
        // What a later segment puts into a place counts.
        let table: BTreeMap<u32, u32> = survey
            .table_entries
            .iter()
            .filter(|(table, ..)| *table == 0)
            .map(|(_, place, function)| (*place, *function))
            .collect();
        let place = |shims: &[u32], is: &dyn Fn(u32) -> bool| {
            table.iter().find(|(_, function)| shims.contains(function) || is(**function)).map(|(place, _)| *place)
        };
        Self {
            malloc_place: place(&malloc_shims, &|function| survey.is_malloc(function)),
            free_place: place(&free_shims, &|function| survey.is_free(function)),
            copies,
            malloc_shims,
            free_shims,
            survey,
        }
    }

    /// Whether this function is the host's `malloc`, or only passes on to it.
    pub(super) fn is_malloc(&self, function: u32) -> bool {
        self.survey.is_malloc(function) || self.malloc_shims.contains(&function)
    }

    /// Whether this function is the host's `free`, or only passes on to it.
    pub(super) fn is_free(&self, function: u32) -> bool {
        self.survey.is_free(function) || self.free_shims.contains(&function)
    }

    /// Whether this function was seen to copy memory.
    pub(super) fn copies(&self, function: u32) -> bool {
        self.copies.contains(&function)
    }

    /// The call of `malloc` that ends with the instruction at `last`, and the index of its first instruction.
    pub(super) fn malloc_call(&self, code: &[Placed<'_>], last: usize) -> Option<(Via, usize)> {
        self.via(code, last, |function| self.is_malloc(function), self.malloc_place, &[ValType::I32])
    }

    /// The same for `free`.
    pub(super) fn free_call(&self, code: &[Placed<'_>], last: usize) -> Option<(Via, usize)> {
        self.via(code, last, |function| self.is_free(function), self.free_place, &[])
    }

    /// The growth that ends with the instruction at `last`.
    pub(super) fn growth(&self, code: &[Placed<'_>], last: usize) -> Option<Growth> {
        let end_of = |index: usize| code.get(index + 1).map(|(_, offset)| *offset);
        let (free, free_first) = self.free_call(code, last)?;
        let free_range = code[free_first].1..end_of(last)?;
        let local_get = |index: usize| match code.get(index)?.0 {
            Operator::LocalGet { local_index } => Some(local_index),
            _ => None,
        };
        let old = local_get(free_first.checked_sub(1)?)?;
        let call = free_first.checked_sub(3)?;
        let (Operator::Drop, Operator::Call { function_index: copy }) = (&code[call + 1].0, &code[call].0) else {
            return None;
        };
        if !self.copies(*copy) {
            return None;
        }
        // The length, backwards to the two addresses.
        let lengths = (2..=LONGEST_LENGTH).filter_map(|length| call.checked_sub(length));
        for start in lengths {
            if local_get(start) != Some(old) {
                length_effect(&code[start].0)?;
                continue;
            }
            let Some(new) = start.checked_sub(1).and_then(local_get) else { continue };
            if new == old || !is_length(&code[start + 1..call], new) {
                continue;
            }
            let test = start.checked_sub(4)?;
            let tests = (&code[test].0, &code[test + 1].0, &code[test + 2].0);
            let (Operator::LocalTee { local_index }, Operator::I32Eqz, Operator::BrIf { .. }) = tests else { continue };
            if *local_index != new {
                continue;
            }
            let last = test.checked_sub(1)?;
            let (malloc, first) = self.malloc_call(code, last)?;
            // As it is written again where a conversion is taken back.
            let is_plain =
                |via: Via, first: usize| via == Via::Direct || matches!(code[first].0, Operator::I32Const { value: 0 });
            if !is_plain(malloc, first) || !is_plain(free, free_first) {
                return None;
            }
            // Growing asks both pointers, or none.
            if (malloc == Via::Direct) != (free == Via::Direct) {
                return None;
            }
            let malloc_range = code[first].1..end_of(last)?;
            return Some(Growth {
                old,
                new,
                malloc,
                malloc_range,
                copy: *copy,
                copy_range: code[call].1..end_of(call)?,
                free,
                free_range,
            });
        }
        None
    }

    /// The call that ends with the instruction at `last`, and the index of its first instruction.
    fn via(
        &self,
        code: &[Placed<'_>],
        last: usize,
        is: impl Fn(u32) -> bool,
        place: Option<u32>,
        results: &[ValType],
    ) -> Option<(Via, usize)> {
        let is_typed = |ty: u32| {
            let ty = self.survey.types.get(ty as usize).and_then(Option::as_ref);
            ty.is_some_and(|ty| ty.params() == [ValType::I32] && ty.results() == results)
        };
        match code[last].0 {
            Operator::Call { function_index } if is(function_index) => Some((Via::Direct, last)),
            Operator::CallIndirect { type_index, table_index: 0 } if is_typed(type_index) => {
                place?;
                let first = last.checked_sub(2)?;
                match (&code[first].0, &code[first + 1].0) {
                    (Operator::I32Const { value }, Operator::I32Load { memarg })
                        if memarg.target == MemArgTarget::Memory(0) =>
                    {
                        let pointer = u32::try_from(memarg.offset).ok()?.checked_add(value.cast_unsigned())?;
                        (memarg.align == 2).then_some((Via::Pointer { pointer, ty: type_index }, first))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// No computation of a length is longer.
const LONGEST_LENGTH: usize = 9;

/// What an instruction of a length takes from the stack, and how many it puts there. `None` for what has other effects.
fn length_effect(operator: &Operator<'_>) -> Option<(usize, usize)> {
    match operator {
        Operator::LocalGet { .. } | Operator::I32Const { .. } => Some((0, 1)),
        Operator::I32GtU
        | Operator::I32LtU
        | Operator::I32GeU
        | Operator::I32LeU
        | Operator::I32Shl
        | Operator::I32Mul => Some((2, 1)),
        Operator::Select => Some((3, 1)),
        _ => None,
    }
}

/// Whether instructions compute one number from nothing, without looking at local `not`.
fn is_length(code: &[Placed<'_>], not: u32) -> bool {
    let mut depth = 0_usize;
    for (operator, _) in code {
        if matches!(operator, Operator::LocalGet { local_index } if *local_index == not) {
            return false;
        }
        let Some((takes, gives)) = length_effect(operator) else { return false };
        let Some(left) = depth.checked_sub(takes) else { return false };
        depth = left + gives;
    }
    depth == 1
}

/// The function that a function passes its arguments on to, if it does nothing else.
fn forwards(survey: &Survey<'_>, function: u32) -> Option<u32> {
    /// `local.get 0; call; end`, with any number of bytes in the index.
    const LONGEST: usize = 16;
    let body = survey.body(function)?;
    if body.as_bytes().len() > LONGEST {
        return None;
    }
    let code: Vec<_> = body.get_operators_reader().ok()?.into_iter().collect::<Result<_, _>>().ok()?;
    let [Operator::LocalGet { local_index: 0 }, Operator::Call { function_index }, Operator::End] = code[..] else {
        return None;
    };
    (survey.function_type(function) == survey.function_type(function_index)).then_some(function_index)
}
