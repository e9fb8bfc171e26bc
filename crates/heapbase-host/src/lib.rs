//! Runs Polkadot SDK ("Substrate") runtimes whichever side owns the heap.
//!
//! A runtime is a WebAssembly module whose entry points take a buffer and return one. Who allocates these buffers is what
//! this crate is about: under the *legacy* allocator spec the host does, in the module's memory from `__heap_base` up;
//! under *v1* (RFC-0061) the runtime does, by an `alloc` that it exports. Everything else comes from the crates that nodes
//! are made of: host functions from `sp-io`, state and overlay from `sp-state-machine`, the legacy heap from
//! `sc-allocator`, the engine that `sp-wasm-interface` re-exports.
//!
//! # Example
//!
//! ```
//! use heapbase_host::{Config, Runtime, Spec, State};
//!
//! // A runtime that owns its heap; real ones come from a file or a chain's state, raw or compressed.
//! let code = wat::parse_str(r#"(module
//!     (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
//!     (memory (export "memory") 1)
//!     (global $next (mut i32) (i32.const 1024))
//!     (func (export "v1"))
//!     (func (export "alloc") (param $size i32) (result i32)
//!         (global.get $next)
//!         (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get $size)) (i32.const 7)) (i32.const -8))))
//!     (func (export "remember") (param $ptr i32) (param $len i32) (result i64)
//!         (local $buffer i64)
//!         (local.set $buffer (i64.or
//!             (i64.extend_i32_u (local.get $ptr))
//!             (i64.shl (i64.extend_i32_u (local.get $len)) (i64.const 32))))
//!         (call $set (local.get $buffer) (local.get $buffer))
//!         (local.get $buffer)))"#)?;
//!
//! let runtime = Runtime::new(&code, &Config::default())?;
//! assert_eq!(runtime.spec(), Spec::V1);
//!
//! let mut state = State::default();
//! let outcome = runtime.call("remember", b"this").on(&state)?;
//! assert_eq!(outcome.output, b"this");
//! assert_eq!(outcome.statistics.host_allocations, 0);
//!
//! // Nothing is changed before it is committed.
//! assert_ne!(outcome.state_root(), state.root());
//! state.commit(outcome.changes);
//! assert_eq!(state.get(b"this").as_deref(), Some(&b"this"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The layers
//!
//! | layer | knows | does not know |
//! | --- | --- | --- |
//! | `engine` | WebAssembly: compiling, instances, memory, traps | what a state is |
//! | `heap`, `context` | who owns the heap, what host functions see | which engine runs |
//! | [`Runtime`], [`State`], [`Executor`] | calls, state, roots | how a buffer is allocated |
//!
//! A node takes [`Executor`] where it took its own.

#[cfg(not(unix))]
compile_error!("heapbase-host maps memory by mmap: it supports Linux, macOS and other Unix systems");

mod config;
mod context;
mod engine;
mod error;
mod executor;
mod guard;
mod heap;
mod prepare;
mod runtime;
mod session;
mod state;
mod surface;

pub use config::{Cache, Config, Engine, Features, HeapPages, Limits, NODE_HEAP_PAGES, UnknownImports, WASM_PAGE};
pub use error::{CallError, Cause, Error, Frame, LogLine, RefusedGrowth, Spec};
pub use executor::Executor;
pub use runtime::{Call, Outcome, RawOutcome, Runtime, is_calling};
pub use session::{AllocationEvent, Origin, Statistics};
pub use state::{Case, Changes, Hasher, State, StateError};
