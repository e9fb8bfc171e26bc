//! Several values where the first release of WebAssembly has one: results of functions, parameters and results of blocks.
//!
//! ```text
//! (func $f (result i32 i64)               (func $f (result i32)
//!   i32.const 1  i64.const 2)               i32.const 1  i64.const 2  global.set $second)
//! call $f                                 call $f  global.get $second
//!
//! block (param i32) (result i32 i32)      local.set $t0  block  local.get $t0
//!   …                                       …
//!   br 0                                    local.set $t1  local.set $t0  br 0
//!   …                                       …
//!                                           local.set $t1  local.set $t0
//! end                                     end  local.get $t0  local.get $t1
//! ```
//!
//! A function keeps its first result; the others travel in globals, from just before the return to just behind the call, and
//! nothing runs in between. Values that enter or leave a block travel in variables of the function in the same way, so that all blocks
//! share them. What labels a branch may lead to, and with which values, needs no look at the operand stack.
//!
//! A `br_table` may mix labels whose values travel with such that keep theirs on the stack: then it branches to blocks around itself
//! which put them there.
//!
//! Types that differed have to differ still, since `call_indirect` traps by them: where a function's new type exists
//! already, zeros are added to its parameters until it does not.

use crate::SectionKind;
use crate::pass::{Parts, PassError};
use std::collections::{HashMap, HashSet};
use wasmparser::{FuncType, ValType};

/// The most parameters that engines take.
const MAX_PARAMS: usize = 1000;

/// What function types become.
pub(super) struct Types {
    /// Parameters that a type gets, by type index.
    pub(super) zeros: Vec<u32>,
    /// Whether any type has several results.
    pub(super) any: bool,
}

/// The parameters and the first result.
type Short<'a> = (&'a [ValType], Option<ValType>);

/// Finds new types for those with several results.
pub(super) fn types(parts: &Parts<'_>) -> Result<Types, PassError> {
    let mut zeros = vec![0; parts.types.len()];
    let several = |ty: &FuncType| ty.results().len() > 1;
    let all = || (0..parts.types.len() as u32).filter_map(|index| parts.ty(index));
    if !all().any(several) {
        return Ok(Types { zeros, any: false });
    }
    let mut taken: HashSet<(Vec<ValType>, Option<ValType>)> = HashSet::new();
    for ty in all().filter(|ty| !several(ty)) {
        taken.insert((ty.params().to_vec(), ty.results().first().copied()));
    }
    let mut found: HashMap<&FuncType, u32> = HashMap::new();
    // Where the search went on last, so that many types with one new form do not take quadratic time.
    let mut next: HashMap<Short<'_>, u32> = HashMap::new();
    for (place, item) in parts.types.iter().enumerate() {
        let Some(ty) = parts.ty(place as u32).filter(|ty| several(ty)) else { continue };
        if let Some(known) = found.get(ty) {
            zeros[place] = *known;
            continue;
        }
        let result = ty.results().first().copied();
        let count = next.entry((ty.params(), result)).or_insert(0);
        let mut params = ty.params().to_vec();
        params.extend((0..*count).map(|_| ValType::I32));
        while !taken.insert((params.clone(), result)) {
            params.push(ValType::I32);
            *count += 1;
            if params.len() > MAX_PARAMS {
                return Err(PassError::TooLarge {
                    what: format!("type {place}, to differ from all others with one result,"),
                    size: params.len() as u64,
                    unit: "parameters",
                    limit: MAX_PARAMS as u64,
                    offset: Some(item.offset),
                    remedy: "compile without several results",
                });
            }
        }
        zeros[place] = *count;
        found.insert(ty, *count);
    }
    Ok(Types { zeros, any: true })
}

/// Refuses functions with several results where somebody else sees them.
pub(super) fn expect_private(parts: &Parts<'_>) -> Result<(), PassError> {
    let several = |function| parts.function_type(function).is_some_and(|ty| ty.results().len() > 1);
    let mut function = 0;
    for (offset, import) in &parts.imports {
        if matches!(import.ty, wasmparser::TypeRef::Func(_) | wasmparser::TypeRef::FuncExact(_)) {
            if several(function) {
                return Err(PassError::unsupported(
                    format!(
                        "the imported function `{}.{}`, which has several results,",
                        import.module.escape_debug(),
                        import.name.escape_debug()
                    ),
                    crate::inspect::Feature::MultiValue,
                    SectionKind::Import,
                    *offset,
                    "the host returns them in a way that the first release of WebAssembly does not have",
                ));
            }
            function += 1;
        }
    }
    for (offset, export) in &parts.exports {
        let is_function = matches!(export.kind, wasmparser::ExternalKind::Func | wasmparser::ExternalKind::FuncExact);
        if is_function && several(export.index) {
            return Err(PassError::unsupported(
                format!("the exported function `{}`, which has several results,", export.name.escape_debug()),
                crate::inspect::Feature::MultiValue,
                SectionKind::Export,
                *offset,
                "the host expects them in a way that the first release of WebAssembly does not have; drop the export",
            ));
        }
    }
    Ok(())
}
