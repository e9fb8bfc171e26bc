//! Why a call failed, in terms that both executors' errors can be put into.
//!
//! Two failures are the same when they are equal here. What cannot be put into these terms is
//! [`Failure::Other`], which is never the same as anything: an error that nobody thought of counts as a difference
//! until somebody has looked at it.
//!
//! A message that the runtime handed over is part of the cause. One that it only logged before it trapped is not, for
//! executors differ in what they make of a log: it counts where both sides have one.

use heapbase_host::{CallError, Cause, Error as Ours};
use sc_executor::error::{Error as Theirs, WasmError};
use std::fmt;

/// Why a call failed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The runtime panicked and handed over this message, by `ext_panic_handler_abort_on_panic`.
    Panicked(String),
    /// The runtime's code trapped, after logging these words as its last error, if it did.
    Trapped(Trap, Option<String>),
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
            (Self::Trapped(a, said), Self::Trapped(b, other)) => {
                a == b && said.as_ref().zip(other.as_ref()).is_none_or(|(said, other)| said == other)
            }
            // One executor may take for handed over what the other has from the log.
            (Self::Panicked(message), Self::Trapped(Trap::Unreachable, Some(said)))
            | (Self::Trapped(Trap::Unreachable, Some(said)), Self::Panicked(message)) => message == said,
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
                (Some(message), Cause::Trap(trap)) if was_logged(call, message) => {
                    Self::of_trap_message(trap).having_said(message.clone())
                }
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

    /// The same, where it is a trap, with the last words that the runtime logged.
    pub fn having_said(self, words: String) -> Self {
        match self {
            Self::Trapped(trap, _) if !words.is_empty() => Self::Trapped(trap, Some(words)),
            failure => failure,
        }
    }

    /// What a failure becomes when the runtime is converted to `v1`. The host's allocator ends the call when it has no block
    /// to give. The runtime's own can only trap.
    pub fn under_v1(self) -> Self {
        match self {
            Self::OutOfMemory => Self::Trapped(Trap::Unreachable, None),
            failure => failure,
        }
    }

    /// What an engine says about a trap, or a host function about its failure.
    fn of_trap_message(message: &str) -> Self {
        if let Some(name) = message.strip_prefix("call to a missing function ") {
            return Self::MissingImport(bare(name));
        }
        let known = [
            ("unreachable", Self::Trapped(Trap::Unreachable, None)),
            ("out of bounds memory access", Self::Trapped(Trap::Memory, None)),
            ("undefined element: out of bounds table access", Self::Trapped(Trap::Table, None)),
            ("out of bounds table access", Self::Trapped(Trap::Table, None)),
            ("uninitialized element", Self::Trapped(Trap::Table, None)),
            ("indirect call", Self::Trapped(Trap::Signature, None)),
            ("divide by zero", Self::Trapped(Trap::DivisionByZero, None)),
            ("integer overflow", Self::Trapped(Trap::Overflow, None)),
            ("invalid conversion to integer", Self::Trapped(Trap::Overflow, None)),
            ("call stack exhausted", Self::Trapped(Trap::Stack, None)),
            ("Failed to allocate memory", Self::OutOfMemory),
            ("Failed to deallocate memory", Self::HeapDamaged),
        ];
        known
            .into_iter()
            .find(|(words, _)| message.contains(words))
            .map_or_else(|| Self::Other(message.to_owned()), |(_, failure)| failure)
    }
}

/// Whether the message is the runtime's last line of log, where our host finds it when none was handed over.
fn was_logged(call: &CallError, message: &str) -> bool {
    call.log.last().is_some_and(|line| line.level == log::Level::Error && line.message == message)
}

/// `ext_x` of `env:ext_x` or `env.ext_x`.
fn bare(name: &str) -> String {
    name.rsplit([':', '.']).next().unwrap_or(name).to_owned()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "panic: {message}"),
            Self::Trapped(trap, None) => write!(f, "trap: {trap:?}"),
            Self::Trapped(trap, Some(words)) => write!(f, "trap: {trap:?} after {words}"),
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
        let trap = |trap| Failure::Trapped(trap, None);
        assert!(!trap(Trap::Memory).same_as(&trap(Trap::Unreachable)));
        assert!(!Failure::OutOfMemory.same_as(&Failure::HeapDamaged));
    }

    #[test]
    fn words_from_the_log_count_where_both_have_them() {
        let trap = |trap, words: &str| Failure::Trapped(trap, None).having_said(words.to_owned());
        let panic = |text: &str| Failure::Panicked(text.to_owned());
        assert!(trap(Trap::Unreachable, "a").same_as(&trap(Trap::Unreachable, "a")));
        assert!(trap(Trap::Unreachable, "a").same_as(&trap(Trap::Unreachable, "")));
        assert!(!trap(Trap::Unreachable, "a").same_as(&trap(Trap::Unreachable, "b")));
        assert!(!trap(Trap::Unreachable, "a").same_as(&trap(Trap::Memory, "a")));
        assert!(panic("a").same_as(&trap(Trap::Unreachable, "a")) && trap(Trap::Unreachable, "a").same_as(&panic("a")));
        // A message that was handed over is not the same as none, nor as another, nor as another trap.
        assert!(
            !panic("a").same_as(&trap(Trap::Unreachable, "")) && !panic("a").same_as(&trap(Trap::Unreachable, "b"))
        );
        assert!(!panic("a").same_as(&trap(Trap::Memory, "a")));
    }

    #[test]
    fn only_under_v1_is_no_memory_a_trap() {
        let trap = Failure::Trapped(Trap::Unreachable, None);
        assert!(!Failure::OutOfMemory.same_as(&trap));
        assert!(Failure::OutOfMemory.under_v1().same_as(&trap));
        assert!(!Failure::HeapDamaged.under_v1().same_as(&trap) && !Failure::NoEntry.under_v1().same_as(&trap));
    }

    #[test]
    fn what_nobody_thought_of_is_never_the_same() {
        let other = Failure::Other("strange".into());
        assert!(!other.same_as(&other));
    }
}
