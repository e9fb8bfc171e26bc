//! Refuses what has no counterpart in a runtime, before anything is done.
//!
//! What is let through is WebAssembly 1.0 and those later features that can be lowered to it: see [`accepted`]. Whether the
//! file can be read at all is told apart from what it uses: an error names the feature, the section and the offset.

use super::error::{AdaptError, invalid};
use crate::{SectionKind, section::section_at};
use wasmparser::{FunctionBody, Operator, Parser, Payload, Validator, WasmFeatures};

/// The features of a module that can be adapted.
pub(super) fn accepted() -> WasmFeatures {
    WasmFeatures::WASM1
        | WasmFeatures::FLOATS
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::CALL_INDIRECT_OVERLONG
}

/// Checks a module.
pub(super) fn check(wasm: &[u8]) -> Result<(), AdaptError> {
    crate::blob::expect_module(crate::blob::Layer::File, wasm)?;
    if let Err(error) = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm) {
        let (section, _) = section_at(wasm, error.offset() as usize);
        return Err(AdaptError::Invalid {
            message: error.message().to_owned(),
            section: Some(section),
            offset: error.offset(),
        });
    }
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| invalid(&error))?;
        if let Payload::CodeSectionEntry(body) = &payload {
            refuse_changing_tables(body)?;
        }
        if let Payload::CustomSection(custom) = &payload
            && (custom.name() == "dylink.0" || custom.name() == "dylink")
        {
            return Err(AdaptError::unsupported(
                "the module is a shared library",
                SectionKind::Custom,
                custom.range().start,
                "there is no linker in a node; link it statically",
            ));
        }
        refuse_memory(&payload)?;
    }
    crate::lower::check(wasm, &crate::lower::Options::default())?;
    let Err(error) = Validator::new_with_features(accepted()).validate_all(wasm) else { return Ok(()) };
    // The pass knows the name of what it cannot lower; a validator only that of the proposal.
    crate::lower::lower(wasm, &crate::lower::Options::default())?;
    let (section, _) = section_at(wasm, error.offset() as usize);
    Err(AdaptError::unsupported(
        format!("the module uses what nodes do not have: {}", error.message()),
        section,
        error.offset(),
        "build it for WebAssembly 1.0, with this feature switched off",
    ))
}

/// Refuses instructions that change a table and passed the features above: what initialising left in it would be lost, and no
/// compiler emits them for a program that is linked statically.
fn refuse_changing_tables(body: &FunctionBody<'_>) -> Result<(), AdaptError> {
    let operators = body.get_operators_reader().map_err(|error| invalid(&error))?;
    for operator in operators.into_iter_with_offsets() {
        let (operator, offset) = operator.map_err(|error| invalid(&error))?;
        let name = match operator {
            Operator::TableInit { .. } => "table.init",
            Operator::TableCopy { .. } => "table.copy",
            _ => continue,
        };
        return Err(AdaptError::unsupported(
            format!("the instruction `{name}` changes a table"),
            SectionKind::Code,
            offset,
            "nodes have tables that stay as they were instantiated; link the module statically",
        ));
    }
    Ok(())
}

/// Refuses memories that no runtime has, in plainer words than a validator's.
fn refuse_memory(payload: &Payload<'_>) -> Result<(), AdaptError> {
    let mut memories = Vec::new();
    let section = match payload {
        Payload::ImportSection(reader) => {
            for import in reader.clone().into_imports_with_offsets() {
                let (offset, import) = import.map_err(|error| invalid(&error))?;
                if let wasmparser::TypeRef::Memory(ty) = import.ty {
                    memories.push((offset, ty));
                }
            }
            SectionKind::Import
        }
        Payload::MemorySection(reader) => {
            for memory in reader.clone().into_iter_with_offsets() {
                memories.push(memory.map_err(|error| invalid(&error))?);
            }
            SectionKind::Memory
        }
        _ => return Ok(()),
    };
    for (place, (offset, ty)) in memories.iter().enumerate() {
        let (what, why) = if place > 0 {
            ("the module has several memories", "host and runtime share one; link the parts into one memory")
        } else if ty.shared {
            ("the memory is shared between threads", "a runtime has one thread; build it without threads and atomics")
        } else if ty.memory64 {
            ("the memory has 64-bit addresses", "hosts pass 32-bit addresses; build it for wasm32")
        } else if ty.page_size_log2.is_some_and(|log2| log2 != 16) {
            ("the memory's pages are not of 64 KiB", "nodes know no others; build it with the usual page size")
        } else {
            continue;
        };
        return Err(AdaptError::unsupported(what, section, *offset, why));
    }
    Ok(())
}
