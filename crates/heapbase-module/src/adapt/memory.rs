//! How host and runtime share the memory, and the names that belong to it.
//!
//! Before:
//!
//! ```wat
//! (module
//!   (table 5 funcref)
//!   (memory (export "memory") 310)
//!   (data (i32.const 4096) "…"))
//! ```
//!
//! After, with an imported memory:
//!
//! ```wat
//! (module
//!   (import "env" "memory" (memory 310))
//!   (table (export "__indirect_function_table") 5 funcref)
//!   (global (export "__data_end") i32 (i32.const 4099))
//!   (data (i32.const 4096) "…"))
//! ```

use super::MemoryLink;
use super::error::AdaptError;
use super::module::{ENV, Export, Module};
use wasmparser::ExternalKind;

/// The names of the Polkadot SDK.
pub(super) const MEMORY: &str = "memory";
pub(super) const TABLE: &str = "__indirect_function_table";
pub(super) const DATA_END: &str = "__data_end";

/// Imports or exports the memory, and exports what linkers name.
pub(super) fn link(module: &mut Module<'_>, link: MemoryLink, data_end: u32) {
    let is_ours = |export: &Export<'_>| {
        export.kind == ExternalKind::Memory || [MEMORY, TABLE, DATA_END].contains(&export.name.as_ref())
    };
    module.exports.retain(|export| !is_ours(export));
    match link {
        MemoryLink::Imported => module.memory_import = Some((ENV, MEMORY)),
        MemoryLink::Exported => {
            module.memory_import = None;
            module.exports.push(Export { name: MEMORY.into(), kind: ExternalKind::Memory, index: 0 });
        }
    }
    let global = module.add_global(data_end.cast_signed(), false);
    module.exports.push(Export { name: DATA_END.into(), kind: ExternalKind::Global, index: global });
}

/// Exports the table, if there is one.
pub(super) fn name_table(wasm: &[u8]) -> Result<Option<Vec<u8>>, AdaptError> {
    let mut module = Module::read(wasm)?;
    if module.table.is_none() || module.export(TABLE).is_some() {
        return Ok(None);
    }
    module.exports.push(Export { name: TABLE.into(), kind: ExternalKind::Table, index: 0 });
    module.write().map(Some)
}
