//! Instructions: which features they need. `wasmparser` keeps the list of instructions by proposal; this file only
//! adds the uses that hide in instructions of the first release.

use super::features::{Feature, Tally};
use super::types;
use std::ops::Range;
use wasmparser::{BinaryReader, ConstExpr, FunctionBody, Operator, OperatorsReader, Result};

/// Scans a function body.
pub(super) fn scan_body(body: &FunctionBody<'_>, tally: &mut Tally) -> Result<()> {
    let mut locals = body.get_locals_reader()?;
    for _ in 0..locals.get_count() {
        let offset = locals.original_position();
        let (_, ty) = locals.read()?;
        types::scan_value(ty, offset, tally);
    }
    let reader = locals.get_binary_reader();
    let (start, bytes) = (reader.original_position(), rest(&reader)?);
    let mut operators = OperatorsReader::new(reader);
    while !operators.eof() {
        let offset = operators.original_position();
        let operator = operators.read()?;
        scan(&operator, offset, &bytes[span(start, offset, operators.original_position())], tally);
    }
    operators.finish()
}

/// Scans a constant expression; `imported_globals` is how many globals it may refer to in the first release.
pub(super) fn scan_constant(expression: &ConstExpr<'_>, imported_globals: u32, tally: &mut Tally) -> Result<()> {
    let reader = expression.get_binary_reader();
    let (start, bytes) = (reader.original_position(), rest(&reader)?);
    let mut operators = OperatorsReader::new(reader);
    while !operators.eof() {
        let offset = operators.original_position();
        match operators.read()? {
            Operator::I32Add
            | Operator::I32Sub
            | Operator::I32Mul
            | Operator::I64Add
            | Operator::I64Sub
            | Operator::I64Mul => tally.add(Feature::ExtendedConst, offset),
            Operator::GlobalGet { global_index } if global_index >= imported_globals => {
                tally.add(Feature::Gc, offset);
            }
            other => scan(&other, offset, &bytes[span(start, offset, operators.original_position())], tally),
        }
    }
    Ok(())
}

/// The bytes that a reader has not read yet.
fn rest<'a>(reader: &BinaryReader<'a>) -> Result<&'a [u8]> {
    reader.clone().read_bytes(reader.bytes_remaining())
}

fn span(start: u64, from: u64, to: u64) -> Range<usize> {
    (from - start) as usize..(to - start) as usize
}

/// The value of an expression that is one `i32.const`.
pub(super) fn i32_constant(expression: &ConstExpr<'_>) -> Option<u32> {
    let mut operators = expression.get_operators_reader();
    match (operators.read().ok()?, operators.read().ok()?, operators.eof()) {
        (Operator::I32Const { value }, Operator::End, true) => Some(value.cast_unsigned()),
        _ => None,
    }
}

/// Scans one instruction, whose encoding is `bytes`.
fn scan(operator: &Operator<'_>, offset: u64, bytes: &[u8], tally: &mut Tally) {
    if let Some(feature) = proposal(operator) {
        tally.add(feature, offset);
    }
    match *operator {
        Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
            types::scan_block(blockty, offset, tally);
        }
        // Before reference types there was one table, and a zero byte where its index is now. Linkers that know the
        // feature reserve five bytes for the index: zero all the same, but not a zero byte.
        Operator::CallIndirect { table_index, .. } if table_index != 0 || behind_first_number(bytes) != 1 => {
            tally.add(Feature::ReferenceTypes, offset);
        }
        // The same for the index of the memory.
        Operator::MemorySize { mem } | Operator::MemoryGrow { mem } if mem != 0 || bytes.len() != 2 => {
            tally.add(Feature::MultiMemory, offset);
        }
        _ => {}
    }
}

/// How many bytes follow the opcode and the first number (LEB128) behind it.
pub(crate) fn behind_first_number(bytes: &[u8]) -> usize {
    let number = bytes.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
    bytes.len().saturating_sub(1 + number)
}

/// The proposal that an instruction came with; `None` for those of the first release.
pub(crate) fn proposal(operator: &Operator<'_>) -> Option<Feature> {
    macro_rules! classify {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => classify!(one @$proposal),)*
                // `Operator` may grow; what this release of the reader does not list it does not produce either.
                _ => None,
            }
        };
        (one @mvp) => { None };
        (one @sign_extension) => { Some(Feature::SignExtension) };
        (one @saturating_float_to_int) => { Some(Feature::SaturatingFloatToInt) };
        (one @bulk_memory) => { Some(Feature::BulkMemory) };
        (one @reference_types) => { Some(Feature::ReferenceTypes) };
        (one @tail_call) => { Some(Feature::TailCall) };
        (one @memory_control) => { Some(Feature::MemoryControl) };
        (one @threads) => { Some(Feature::Threads) };
        (one @simd) => { Some(Feature::Simd) };
        (one @relaxed_simd) => { Some(Feature::RelaxedSimd) };
        (one @exceptions) => { Some(Feature::Exceptions) };
        (one @legacy_exceptions) => { Some(Feature::LegacyExceptions) };
        (one @shared_everything_threads) => { Some(Feature::SharedEverythingThreads) };
        (one @function_references) => { Some(Feature::FunctionReferences) };
        (one @stack_switching) => { Some(Feature::StackSwitching) };
        (one @wide_arithmetic) => { Some(Feature::WideArithmetic) };
        (one @acquire_release_atomics) => { Some(Feature::AcquireReleaseAtomics) };
        (one @gc) => { Some(Feature::Gc) };
        (one @custom_descriptors) => { Some(Feature::CustomDescriptors) };
    }
    wasmparser::for_each_operator!(classify)
}
