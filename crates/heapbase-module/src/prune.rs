//! Takes out of a module what nothing can reach: functions, imports of functions and globals, globals, types; and the empty
//! places at the beginning of a table.
//!
//! ```text
//! (import "env" "unused" (func $unused))
//! (table 4099 funcref)                              (table 3 funcref)
//! (elem (i32.const 4096) func $a $b $c)             (elem (i32.const 0) func $a $b $c)
//! (func $entry (export "entry")                     (func $entry (export "entry")
//!   … call_indirect)                                  … i32.const 4096  i32.sub  call_indirect)
//! (func $dead …)
//! ```
//!
//! What stays: exports (all, or those in [`Options::exports`]), the start function, what lies in element segments, and whatever these
//! lead to. Functions in a table stay even if no type of a `call_indirect` fits, since which trap a wrong one ends in can be seen.
//!
//! **The table.** Go numbers functions from 4,096 on, and nodes pool tables of 8,192 places; so a Go program may have half as many functions
//! as fit. Function pointers lie in data as plain numbers, where nothing tells them from others; so they keep their values, and the
//! difference is taken where they are used: at each `call_indirect`. That costs one subtraction a call. It is done from
//! [`WORTH_SHIFTING`] empty places on, where the table is the module's alone: neither imported nor exported, no instruction reads or writes
//! it, and all segments lie at constant places. A call of one of the empty places trapped before, and does so now; but engines may call
//! it by another name, since the place is now one outside of the table.
//!
//! A Go module of 2.8 MB has 1,845 functions in its table behind the empty places and 198 calls through it; the shift makes it 750 bytes
//! larger and no slower (`bench/passes`). Go keeps every function in its table, so little of it is dead.
//!
//! ```
//! use heapbase_module::prune::{Options, prune};
//!
//! let wasm = wat::parse_str(
//!     r#"(module
//!          (import "env" "unused" (func (param i64)))
//!          (func $used (result i32) (i32.const 1))
//!          (func $dead (result i32) (call $used))
//!          (func (export "entry") (result i32) (call $used)))"#,
//! )?;
//! let pruned = prune(&wasm, &Options::default())?;
//! assert_eq!(pruned.changes[0], "took out 1 function that nothing reaches, 4 bytes");
//! assert_eq!(pruned.changes[1], "took out the import `env.unused`, which nothing calls");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod live;
mod shift;
mod write;

pub use crate::pass::{PassError as PruneError, Passed as Pruned};

use crate::pass::{Parts, counted, expect_result, expect_valid};
use std::collections::BTreeSet;
use wasmparser::WasmFeatures;

/// Places in a table that nodes pool: a module with more does not run on them.
pub const TABLE_LIMIT: u64 = 8_192;

/// From how many empty places at its beginning on a table is shifted. Most linkers leave the first place empty, so that the null
/// pointer is no function: that is not worth a subtraction at each call.
pub const WORTH_SHIFTING: u32 = 256;

/// What is taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The exports that stay, by name; all where this is `None`.
    pub exports: Option<BTreeSet<String>>,
    /// Whether to shift the table.
    pub shift_table: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { exports: None, shift_table: true }
    }
}

/// Takes out what nothing reaches; see [the module](self). A module without any of it comes back byte for byte.
///
/// # Errors
///
/// [`PruneError`] where the module is not valid. Never panics, whatever the bytes.
pub fn prune(wasm: &[u8], options: &Options) -> Result<Pruned, PruneError> {
    expect_valid(wasm)?;
    let parts = Parts::read(wasm)?;
    let exports: Vec<bool> = parts
        .exports
        .iter()
        .map(|(_, export)| options.exports.as_ref().is_none_or(|wanted| wanted.contains(export.name)))
        .collect();
    let live = live::find(&parts, &exports)?;
    let shift = if options.shift_table { shift::find(&parts, &exports, &live)? } else { None };
    let mut warnings = Vec::new();
    for (place, table) in parts.table_types.iter().enumerate() {
        let size = table.initial - u64::from(shift.unwrap_or(0));
        if size > TABLE_LIMIT {
            warnings.push(format!(
                "table {place} has {size} places, more than the {TABLE_LIMIT} that nodes pool, so they refuse the module; link \
                 less code"
            ));
        }
    }
    let mut changes = live.sentences(&parts);
    for ((_, export), stays) in parts.exports.iter().zip(&exports) {
        if !stays {
            changes.push(format!("dropped the export `{}`", export.name));
        }
    }
    if let Some(shift) = shift {
        changes.push(format!(
            "shifted the table by its {shift} empty places: {} left, and {} a subtraction each",
            counted((parts.table_types[0].initial - u64::from(shift)) as usize, "place", "places"),
            counted(live.indirect_calls, "call through it costs", "calls through it cost"),
        ));
    }
    if changes.is_empty() {
        return Ok(Pruned { warnings, ..Pruned::untouched(wasm) });
    }
    let pruned = write::write(&parts, &exports, &live, shift, &mut changes)?;
    expect_result(&pruned, WasmFeatures::all())?;
    Ok(Pruned { wasm: pruned, changes, warnings })
}
