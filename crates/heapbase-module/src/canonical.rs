//! Makes floating point the same on all machines: every NaN that arithmetic gives has one bit pattern.
//!
//! ```text
//! f64.div                 f64.div
//! i64.reinterpret_f64     local.tee $t  local.get $t  f64.eq  if (result f64)  local.get $t  else  f64.const nan  end
//!                         i64.reinterpret_f64
//! ```
//!
//! WebAssembly leaves the sign and the payload of a NaN to the machine where an instruction computes it: `add`, `sub`, `mul`, `div`,
//! `sqrt`, `min`, `max`, `ceil`, `floor`, `trunc`, `nearest`, `demote` and `promote` of both formats. Two nodes on different processors may
//! therefore disagree about a state root. Everything else is exact: `abs`, `neg` and `copysign` move bits, loads and constants give what
//! there is, comparisons and conversions to integers do not tell one NaN from another.
//!
//! So a value is made canonical where it is computed, and only if something may see its bits: a store, a reinterpretation, a call, a
//! return, a branch, a choice, a global, the sign that `copysign` takes. What goes on into other arithmetic, a comparison or a conversion
//! is left alone, also through variables that are used for nothing else. Why not where it is seen: a load may bring a NaN with a
//! payload that the program put there itself, and a store has to keep it.
//!
//! **What it costs** (`bench/passes`, wasmtime 36): nothing that can be measured in a Go program that computes with floating point; 1.15
//! times the time for a loop that sums numbers, 1.26 for one that stores each result, 1.05 for a polynomial, 1.00 around a division. The
//! module of 2.8 MB becomes 1.5 KB larger. A `select` instead of the `if`, as engines do it where they are asked to, took 1.5 times the time in
//! the first two: it puts the comparison into the chain that each next sum waits for, where a branch that is never taken is guessed.
//!
//! The host's own floating point (results of imported functions) is the host's business.
//!
//! ```
//! use heapbase_module::canonical::canonicalise;
//!
//! let wasm = wat::parse_str(
//!     r#"(module (func (export "f") (param f64 f64) (result i64)
//!          (i64.reinterpret_f64 (f64.sqrt (f64.div (local.get 0) (local.get 1))))))"#,
//! )?;
//! let done = canonicalise(&wasm)?;
//! // The quotient only feeds the root, whose bits are seen.
//! assert_eq!(done.changes, ["made the NaN of 1 instruction canonical; 1 other cannot be seen"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod exposed;
mod operand;

pub use crate::pass::{PassError as CanonicalError, Passed as Canonicalised};

use crate::SectionKind;
use crate::convert::holds_code_places;
use crate::pass::{
    MAX_LOCALS, Parts, PassError, Renaming, Writer, counted, expect_function_size, expect_result, expect_valid,
    with_names,
};
use crate::splice::{Splice, instructions};
use wasm_encoder::{BlockType, CodeSection, Encode, Ieee32, Ieee64, Instruction, ValType};
use wasmparser::{FunctionBody, OperatorsReader, WasmFeatures};

/// Makes NaNs canonical; see [the module](self). A module without floating point comes back byte for byte.
///
/// # Errors
///
/// [`CanonicalError`] where the module is not valid, or holds instructions whose NaNs are not looked after: vectors above all. Lower it
/// first. Never panics, whatever the bytes.
pub fn canonicalise(wasm: &[u8]) -> Result<Canonicalised, CanonicalError> {
    expect_valid(wasm)?;
    let parts = Parts::read(wasm)?;
    let mut bodies = Vec::with_capacity(parts.bodies.len());
    let (mut done, mut left) = (0, 0);
    let limit = crate::pass::limit(wasm);
    let mut size = 0;
    for (function, body) in (parts.imported_functions..).zip(&parts.bodies) {
        let found = exposed::find(&parts, function, body)?;
        done += found.seen.len();
        left += found.computed - found.seen.len();
        let rewritten = if found.seen.is_empty() { None } else { Some(rewrite(&parts, function, body, &found.seen)?) };
        size += rewritten.as_ref().map_or(0, Vec::len);
        if size > limit {
            return Err(crate::pass::too_large(size, limit, wasm.len()));
        }
        bodies.push(rewritten);
    }
    if done == 0 {
        return Ok(Canonicalised::untouched(wasm));
    }
    let mut changes = vec![format!(
        "made the NaN of {} canonical; {left} {} cannot be seen",
        counted(done, "instruction", "instructions"),
        if left == 1 { "other" } else { "others" },
    )];
    let mut writer = Writer::new(wasm);
    for section in &parts.sections {
        match section.kind {
            SectionKind::Code => {
                let mut code = CodeSection::new();
                for (body, rewritten) in parts.bodies.iter().zip(&bodies) {
                    code.raw(rewritten.as_deref().unwrap_or_else(|| body.as_bytes()));
                }
                writer.section(&code);
            }
            SectionKind::Custom if holds_code_places(section.name) => {
                changes.push(format!("dropped the custom section `{}`: places in the code have moved", section.name))
            }
            SectionKind::Custom if section.name == "name" => {
                // An `if` is a label too.
                let keeps = |function: u32| {
                    let own = function.checked_sub(parts.imported_functions);
                    own.is_none_or(|own| bodies.get(own as usize).is_none_or(Option::is_none))
                };
                let renaming = Renaming { keeps_labels: Some(&keeps), ..Renaming::default() };
                let contents = parts.contents(section);
                let names = with_names(contents, &renaming);
                writer.custom(section.name, names.as_deref().unwrap_or(contents));
            }
            SectionKind::Custom => writer.custom(section.name, parts.contents(section)),
            kind => writer.raw(kind, parts.contents(section)),
        }
    }
    let wasm = writer.finish()?;
    expect_result(&wasm, WasmFeatures::all())?;
    Ok(Canonicalised { wasm, changes, warnings: Vec::new() })
}

/// One place behind whose instruction a NaN becomes canonical: where that instruction ends, and whether it gives an f64.
type Seen = (usize, bool);

/// A function with its NaNs made canonical at some places.
fn rewrite(parts: &Parts<'_>, function: u32, body: &FunctionBody<'_>, seen: &[Seen]) -> Result<Vec<u8>, PassError> {
    let mut locals = body.get_locals_reader()?;
    let mut count = parts.function_type(function).map_or(0, |ty| ty.params().len()) as u32;
    let groups = locals.get_count();
    let groups_start = locals.original_position() as usize;
    for _ in 0..groups {
        count = count.saturating_add(locals.read()?.0);
    }
    let start = locals.original_position() as usize;
    let singles = seen.iter().any(|(_, double)| !double);
    let doubles = seen.iter().any(|(_, double)| *double);
    let (single, double) = (count, count + u32::from(singles));
    let added = u32::from(singles) + u32::from(doubles);
    if count.saturating_add(added) > MAX_LOCALS {
        return Err(PassError::TooLarge {
            what: "the function, with a variable to look at a NaN,".to_owned(),
            size: u64::from(count) + u64::from(added),
            unit: "variables",
            limit: MAX_LOCALS.into(),
            offset: Some(body.range().start),
            remedy: "compile it in smaller functions",
        });
    }
    let single = instructions(&[
        Instruction::LocalTee(single),
        Instruction::LocalGet(single),
        Instruction::F32Eq,
        Instruction::If(BlockType::Result(ValType::F32)),
        Instruction::LocalGet(single),
        Instruction::Else,
        Instruction::F32Const(Ieee32::new(0x7fc0_0000)),
        Instruction::End,
    ]);
    let double = instructions(&[
        Instruction::LocalTee(double),
        Instruction::LocalGet(double),
        Instruction::F64Eq,
        Instruction::If(BlockType::Result(ValType::F64)),
        Instruction::LocalGet(double),
        Instruction::Else,
        Instruction::F64Const(Ieee64::new(0x7ff8_0000_0000_0000)),
        Instruction::End,
    ]);
    let mut bytes = Vec::new();
    (groups + added).encode(&mut bytes);
    bytes.extend_from_slice(parts.wasm.get(groups_start..start).unwrap_or_default());
    for (wanted, ty) in [(singles, ValType::F32), (doubles, ValType::F64)] {
        if wanted {
            1_u32.encode(&mut bytes);
            ty.encode(&mut bytes);
        }
    }
    let mut splice = Splice::new(parts.wasm, start..body.range().end as usize);
    for (end, is_double) in seen {
        splice.replace(*end..*end, if *is_double { &double } else { &single });
    }
    bytes.extend(splice.finish());
    expect_function_size(bytes.len(), body.range().start)?;
    Ok(bytes)
}

/// The instructions of a function.
fn operators<'a>(body: &FunctionBody<'a>) -> Result<OperatorsReader<'a>, PassError> {
    Ok(body.get_operators_reader()?)
}
