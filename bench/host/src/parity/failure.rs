//! Why a call failed, in terms that both executors' errors can be put into.
//!
//! Two failures are the same when they are equal here. What cannot be put into these terms is
//! [`Failure::Other`], which is never the same as anything: an error that nobody thought of counts as a difference
//! until somebody has looked at it.

use heapbase_host::{Cause, Error as Ours};
use sc_executor::error::{Error as Theirs, WasmError};
use std::fmt;

/// Why a call failed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The runtime panicked and handed over this message, by `ext_panic_handler_abort_on_panic`.
    Panicked(String),
    /// The runtime's code trapped.
    Trapped(Trap),
    /// The runtime called an import of this name, which the host does not have.
    MissingImport(String),
    /// The legacy allocator has no space for what was asked.
    OutOfMemory,
    /// The legacy allocator found its heap damaged, or refused an address.
    HeapDamaged,
    /// The module has no such entry point.
    NoEntry,
    /// The entry point has another type.
    NotAnEntry,
    /// The output does not lie in memory.
    OutputOutOfBounds,
    /// The module cannot be loaded.
    Refused(Refusal),
    /// Something else, in the executor's words.
    Other(String),
}

/// How code can trap. Every engine has words of its own for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// `unreachable`, the end of every panic of an older runtime.
    Unreachable,
    /// Memory access out of bounds.
    Memory,
    /// Table access out of bounds, or an empty element called.
    Table,
    /// An indirect call of another type.
    Signature,
    /// Division by zero.
    DivisionByZero,
    /// Integer overflow, or a float that no integer holds.
    Overflow,
    /// The stack is used up.
    Stack,
}

/// Why a module cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not valid WebAssembly of the features that are enabled.
    Invalid,
    /// It does not decompress.
    Compressed,
    /// It imports something that is neither a function of `env` nor the memory.
    Import,
    /// It has no memory that the host can use.
    Memory,
    /// It has no `__heap_base`.
    HeapBase,
}

impl Failure {
    /// Whether this is the same cause as `other`.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Panicked(a), Self::Panicked(b)) | (Self::MissingImport(a), Self::MissingImport(b)) => a == b,
            (Self::Trapped(a), Self::Trapped(b)) => a == b,
            (Self::Refused(a), Self::Refused(b)) => a == b,
            (Self::Other(_), _) => false,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// What sc-executor says.
    pub fn of_theirs(error: &Theirs) -> Self {
        match error {
            Theirs::AbortedDueToPanic(panic) => Self::Panicked(panic.message.clone()),
            Theirs::AbortedDueToTrap(trap) => Self::of_trap_message(&trap.message),
            Theirs::OutputExceedsBounds => Self::OutputOutOfBounds,
            Theirs::Allocator(
                sc_allocator::Error::AllocatorOutOfSpace | sc_allocator::Error::RequestedAllocationTooLarge,
            ) => Self::OutOfMemory,
            Theirs::Other(message) if message.ends_with("is not found") => {
                if message.contains("__heap_base") {
                    Self::Refused(Refusal::HeapBase)
                } else {
                    Self::NoEntry
                }
            }
            Theirs::Other(message) if message.contains("has invalid signature") => Self::NotAnEntry,
            Theirs::HeapBaseNotFoundOrInvalid => Self::Refused(Refusal::HeapBase),
            Theirs::RuntimeConstruction(error) => match error {
                WasmError::InvalidModule(_) | WasmError::CantDeserializeWasm => Self::Refused(Refusal::Invalid),
                WasmError::InvalidMemory => Self::Refused(Refusal::Memory),
                WasmError::Other(message)
                    if ["cannot create module", "cannot deserialize module"]
                        .iter()
                        .any(|words| message.contains(words)) =>
                {
                    Self::Refused(Refusal::Invalid)
                }
                WasmError::Other(message) if message.contains("host doesn't provide any") => {
                    Self::Refused(Refusal::Import)
                }
                WasmError::Other(message) if message.contains("ecompress") => Self::Refused(Refusal::Compressed),
                other => Self::Other(other.to_string()),
            },
            other => Self::Other(other.to_string()),
        }
    }

    /// What heapbase-host says.
    pub fn of_ours(error: &Ours) -> Self {
        match error {
            Ours::Call(call) => match (&call.panic_message, &call.cause) {
                (Some(message), _) => Self::Panicked(message.clone()),
                (None, Cause::Trap(message) | Cause::HostFunction(message)) => Self::of_trap_message(message),
                (None, Cause::OutOfMemory { .. }) => Self::OutOfMemory,
                (None, Cause::UnknownImport(name)) => Self::MissingImport(bare(name)),
                (None, Cause::LegacyAllocator(_)) => Self::HeapDamaged,
                (None, Cause::OutputOutOfBounds { .. }) => Self::OutputOutOfBounds,
                (None, other) => Self::Other(other.to_string()),
            },
            Ours::NoEntry { .. } => Self::NoEntry,
            Ours::NotAnEntry { .. } => Self::NotAnEntry,
            Ours::NotWasm { .. } | Ours::Invalid { .. } => Self::Refused(Refusal::Invalid),
            Ours::Decompress { .. } => Self::Refused(Refusal::Compressed),
            Ours::UnsupportedImport { .. } => Self::Refused(Refusal::Import),
            Ours::Memory { .. } => Self::Refused(Refusal::Memory),
            Ours::MissingExport { name: "__heap_base", .. } => Self::Refused(Refusal::HeapBase),
            other => Self::Other(other.to_string()),
        }
    }

    /// What an engine says about a trap, or a host function about its failure.
    fn of_trap_message(message: &str) -> Self {
        if let Some(name) = message.strip_prefix("call to a missing function ") {
            return Self::MissingImport(bare(name));
        }
        let known = [
            ("unreachable", Self::Trapped(Trap::Unreachable)),
            ("out of bounds memory access", Self::Trapped(Trap::Memory)),
            ("undefined element: out of bounds table access", Self::Trapped(Trap::Table)),
            ("out of bounds table access", Self::Trapped(Trap::Table)),
            ("uninitialized element", Self::Trapped(Trap::Table)),
            ("indirect call", Self::Trapped(Trap::Signature)),
            ("divide by zero", Self::Trapped(Trap::DivisionByZero)),
            ("integer overflow", Self::Trapped(Trap::Overflow)),
            ("invalid conversion to integer", Self::Trapped(Trap::Overflow)),
            ("call stack exhausted", Self::Trapped(Trap::Stack)),
            ("Failed to allocate memory", Self::OutOfMemory),
            ("Failed to deallocate memory", Self::HeapDamaged),
        ];
        known
            .into_iter()
            .find(|(words, _)| message.contains(words))
            .map_or_else(|| Self::Other(message.to_owned()), |(_, failure)| failure)
    }
}

/// `ext_x` of `env:ext_x` or `env.ext_x`.
fn bare(name: &str) -> String {
    name.rsplit([':', '.']).next().unwrap_or(name).to_owned()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "panic: {message}"),
            Self::Trapped(trap) => write!(f, "trap: {trap:?}"),
            Self::MissingImport(name) => write!(f, "missing import: {name}"),
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::HeapDamaged => f.write_str("heap damaged"),
            Self::NoEntry => f.write_str("no such entry point"),
            Self::NotAnEntry => f.write_str("not of an entry point's type"),
            Self::OutputOutOfBounds => f.write_str("output out of bounds"),
            Self::Refused(why) => write!(f, "refused: {why:?}"),
            Self::Other(message) => write!(f, "unclassified: {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_engines_are_one_cause() {
        for (wasmtime, wasmi) in [
            ("wasm trap: wasm `unreachable` instruction executed", "wasm `unreachable` instruction executed"),
            ("wasm trap: out of bounds memory access", "out of bounds memory access"),
            ("wasm trap: call stack exhausted", "call stack exhausted"),
        ] {
            assert!(Failure::of_trap_message(wasmtime).same_as(&Failure::of_trap_message(wasmi)));
        }
    }

    #[test]
    fn another_message_another_import_another_trap_are_other_causes() {
        let panic = |text: &str| Failure::Panicked(text.to_owned());
        assert!(panic("a").same_as(&panic("a")) && !panic("a").same_as(&panic("b")));
        let import = |text: &str| Failure::of_trap_message(&format!("call to a missing function {text}"));
        assert!(import("env:x").same_as(&Failure::MissingImport("x".into())));
        assert!(!import("env:x").same_as(&import("env:y")));
        assert!(!Failure::Trapped(Trap::Memory).same_as(&Failure::Trapped(Trap::Unreachable)));
        assert!(!Failure::OutOfMemory.same_as(&Failure::HeapDamaged));
    }

    #[test]
    fn what_nobody_thought_of_is_never_the_same() {
        let other = Failure::Other("strange".into());
        assert!(!other.same_as(&other));
    }
}
