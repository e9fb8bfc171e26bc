//! Reads and rewrites Polkadot SDK runtime modules: what is this module, who owns its heap, what would a node say to it; and
//! moves the heap from the host into the module.
//!
//! A *runtime* is a WebAssembly module whose entry points take the address and the length of their input and return
//! both for their output, packed into an `i64`. This crate turns bytes into answers about such a module. It executes
//! nothing, but for a module's own initialisation where one is adapted, and never panics on bad input: bytes that are not a runtime give an [`Error`] that names
//! the section and the offset, and a module that can be read but breaks a rule gives a [`Report`] with [`Problem`]s.
//!
//! ```
//! use heapbase_module::{Spec, inspect};
//!
//! // A module that says `v1`, and forgets to bring the allocator that `v1` promises.
//! let wasm = wat::parse_str(
//!     r#"(module
//!          (memory (export "memory") 17)
//!          (func (export "v1"))
//!          (func (export "Core_version") (param i32 i32) (result i64) i64.const 0))"#,
//! )?;
//!
//! let report = inspect(&wasm)?;
//! assert_eq!(report.spec, Spec::V1);
//! assert!(!report.conforms);
//! let first = &report.problems[0];
//! assert_eq!((first.code(), first.place.name.as_deref()), ("missing-export", Some("alloc")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The rooms
//!
//! - [`blob`]: from a file to a module. Raw Wasm, the compressed form of the Polkadot SDK, or JSON that holds `:code`.
//! - [`mod@inspect`]: from a module to a [`Report`].
//! - [`mod@convert`]: the heap of a compiled runtime moves from the host into the module, and back.
//! - [`mod@adapt`]: what a language's stock toolchain emits becomes a runtime.
//! - [`mod@verify`]: is this module exactly the conversion of that one?
//! - [`mod@lower`], [`mod@prune`], [`canonical`]: passes of an adaptation that know nothing of languages or systems. What is newer than the
//!   first release of WebAssembly is said in its terms; what nothing reaches goes; NaNs are the same on all machines. [`mod@pass`]: what
//!   they share.
//! - [`mod@stub`]: every import becomes the module's own, for engines that know nothing of Polkadot.
//! - [`spec`]: the allocator specs, and how a host tells which one a module follows.
//! - [`record`]: the custom section in which a converted module says what was done to it.
//!
//! All offsets are byte offsets into the decompressed module, counted from its first byte.
#![forbid(unsafe_code)]

pub mod adapt;
pub mod blob;
pub mod canonical;
pub mod convert;
mod error;
mod hash;
pub mod inspect;
pub mod lower;
pub mod pass;
pub mod prune;
pub mod record;
mod section;
pub mod spec;
mod splice;
pub mod stub;
pub mod verify;

pub use blob::Blob;
pub use error::Error;
pub use hash::Blake2_256;
pub use inspect::{Flaw, Place, Problem, Report, Severity, inspect, inspect_blob};
pub use section::SectionKind;
pub use spec::Spec;
