//! What a runtime exports: its entry points, and nothing that hosts have no use for.
//!
//! Before:
//!
//! ```wat
//! (module
//!   (func $version (export "Core_version") (param i32 i32) (result i64) …)
//!   (func $init (export "_initialize") …)
//!   (func (export "malloc") (param i32) (result i32) …))
//! ```
//!
//! After:
//!
//! ```wat
//! (module
//!   (func $version (param i32 i32) (result i64) …)
//!   (func (export "Core_version") (param i32 i32) (result i64)
//!     (call $version (select (local.get 0) (i32.const 8) (local.get 0)) (local.get 1))))
//! ```
//!
//! Address 0 means something else than an address in most languages: no slice may begin there, not even an empty one. So it
//! becomes 8, which is never read, since hosts put no input there.
//!
//! Where a module initialises itself in every call, the entry does that first:
//!
//! ```wat
//!   (func (export "Core_version") (param i32 i32) (result i64)
//!     (if (i32.eqz (global.get $ready)) (then (global.set $ready (i32.const 1)) (call $init)))
//!     (call $version …))
//! ```

use super::Entry;
use super::error::AdaptError;
use super::memory::{DATA_END, MEMORY, TABLE};
use super::module::{Export, Module, Origin};
use crate::Spec;
use wasm_encoder::{BlockType, Function, Instruction as I};
use wasmparser::{ExternalKind, FuncType, ValType};

/// The exports that every runtime may have.
const ALLOWED: [&str; 4] = [MEMORY, TABLE, DATA_END, crate::convert::HEAP_BASE];

/// Functions by which hosts tell who owns the heap, and which they call. The first is asked for whatever the spec.
const V1: [&str; 4] = ["v1", "alloc", "dealloc", "realloc"];

/// Whether a name means something else to hosts of this spec than a function of the module's own.
fn is_taken(name: &str, to: Spec) -> bool {
    let of_spec = if to == Spec::V1 { &V1[..] } else { &V1[..1] };
    ALLOWED.contains(&name) || of_spec.contains(&name)
}

/// What became of the exports.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    pub(super) names: Vec<String>,
    pub(super) dropped: Vec<String>,
}

/// Chooses the entry points of a runtime of the spec `to`, wraps them, and drops other exports. `first` runs before the first entry of
/// every instance.
pub(super) fn choose(
    module: &mut Module<'_>,
    to: Spec,
    entries: &[Entry],
    keep: &[String],
    first: &[(String, u32)],
) -> Result<Entries, AdaptError> {
    let ty = FuncType::new([ValType::I32, ValType::I32], [ValType::I64]);
    let mut chosen = Entries::default();
    let mut wrapped: Vec<(String, u32)> = Vec::new();
    for entry in entries {
        let Some(function) = module.exported_function(&entry.export) else {
            let exported: Vec<_> =
                module.exports.iter().map(|export| export.name.escape_debug().to_string()).take(20).collect();
            return Err(AdaptError::Entry(format!(
                "there is no exported function `{}` to be an entry; the module exports {}",
                entry.export,
                exported.join(", ")
            )));
        };
        if module.function_type(function) != Some(&ty) {
            let found = module.function_type(function).map_or_else(String::new, ToString::to_string);
            return Err(AdaptError::Entry(format!(
                "the exported function `{}` is of the type `{found}`; hosts call `(func (param i32 i32) (result i64))`",
                entry.export
            )));
        }
        if wrapped.iter().any(|(name, _)| *name == entry.name) {
            return Err(AdaptError::Entry(format!("two entries are to be named `{}`", entry.name)));
        }
        wrapped.push((entry.name.clone(), function));
    }
    if entries.is_empty() {
        let functions = module.exports.iter().filter(|export| export.kind == ExternalKind::Func);
        let callable = functions.filter(|export| module.function_type(export.index) == Some(&ty));
        wrapped.extend(callable.map(|export| (export.name.to_string(), export.index)));
    }
    if wrapped.is_empty() {
        return Err(AdaptError::NoEntry);
    }
    if let Some((name, _)) = wrapped.iter().find(|(name, _)| is_taken(name, to)) {
        return Err(AdaptError::Entry(format!(
            "an entry point cannot be named `{name}`, which means something else to hosts; name those that are entry points, and this \
             one otherwise: --entry OTHER={name}"
        )));
    }
    for name in keep {
        let Some(export) = module.export(name) else {
            return Err(AdaptError::Entry(format!("there is no export `{name}` to keep")));
        };
        let collides = to == Spec::V1 && V1.contains(&name.as_str());
        if collides || (export.kind == ExternalKind::Func && is_taken(name, to)) {
            return Err(AdaptError::Entry(format!(
                "the export `{name}` cannot be kept, because the name means something else to hosts; rename it in the source"
            )));
        }
    }
    let is_entry = |name: &str| wrapped.iter().any(|(entry, _)| entry == name);
    let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(&mut module.exports).into_iter().partition(|export| {
        let name = export.name.as_ref();
        let kept = keep.iter().any(|keep| keep == name);
        !is_entry(name) && (kept || (export.kind != ExternalKind::Func && ALLOWED.contains(&name)))
    });
    chosen.dropped = go.iter().map(|export| export.name.to_string()).filter(|name| !is_entry(name)).collect();
    let ready = (!first.is_empty()).then(|| module.add_global(0, true));
    for (name, function) in wrapped {
        let body = wrapper(function, ready, first);
        let label = format!("heapbase::entry::{name}");
        let index = module.add(label, &ty, Origin::Made(body.into_raw_body()));
        module.exports.push(Export { name: name.clone().into(), kind: ExternalKind::Func, index });
        chosen.names.push(name);
    }
    module.exports.extend(stay);
    Ok(chosen)
}

fn wrapper(function: u32, ready: Option<u32>, first: &[(String, u32)]) -> Function {
    let mut body = Function::new([]);
    if let Some(ready) = ready {
        body.instruction(&I::GlobalGet(ready)).instruction(&I::I32Eqz).instruction(&I::If(BlockType::Empty));
        body.instruction(&I::I32Const(1)).instruction(&I::GlobalSet(ready));
        for (_, function) in first {
            body.instruction(&I::Call(*function));
        }
        body.instruction(&I::End);
    }
    for instruction in
        [I::LocalGet(0), I::I32Const(8), I::LocalGet(0), I::Select, I::LocalGet(1), I::Call(function), I::End]
    {
        body.instruction(&instruction);
    }
    body
}
