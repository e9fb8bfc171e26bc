//! Why a module is not adapted.

use crate::SectionKind;
use crate::convert::ConvertError;

/// Why a module is not adapted. The input is untouched in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdaptError {
    /// The bytes cannot be read as a module.
    #[error(transparent)]
    Read(#[from] crate::Error),

    /// The module breaks a rule of WebAssembly.
    #[error(
        "the module is not valid WebAssembly: {message} ({}offset {offset:#x}); build it again",
        section.map(|section| format!("{section} section, ")).unwrap_or_default()
    )]
    Invalid {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Where, if it could be told.
        section: Option<SectionKind>,
        /// Byte offset into the decompressed module.
        offset: u64,
    },

    /// The module was adapted or converted before.
    #[error(
        "the module carries a record of heapbase, as `{0}`: it is a runtime already; adapt what the toolchain made"
    )]
    Already(crate::Spec),

    /// The module uses something that has no counterpart in a runtime.
    #[error("{what} ({section} section, offset {offset:#x}); {why}")]
    Unsupported {
        /// What the module has.
        what: String,
        /// Where.
        section: SectionKind,
        /// Byte offset into the decompressed module.
        offset: u64,
        /// Why that cannot be carried over, and what to do.
        why: &'static str,
    },

    /// The module imports something that no node provides.
    #[error("imports the {kind} `{name}` (import section, offset {offset:#x}); {advice}")]
    ForeignImport {
        /// What it is.
        kind: &'static str,
        /// Module and name.
        name: String,
        /// Byte offset into the decompressed module.
        offset: u64,
        /// What to do.
        advice: &'static str,
    },

    /// An import has another type than its name says.
    #[error("imports `{name}` as `{found}`, but it is `{expected}` (import section, offset {offset:#x})")]
    WrongType {
        /// Module and name.
        name: String,
        /// The type it is imported with.
        found: String,
        /// The type it has.
        expected: String,
        /// Byte offset into the decompressed module.
        offset: u64,
    },

    /// An entry that was asked for is not there, or cannot be called by a host.
    #[error("{0}")]
    Entry(String),

    /// Nothing in the module can be called by a host.
    #[error(
        "exports no function of the type `(i32, i32) -> i64`, so a host could call nothing; export the entry points with \
         address and length of their input as parameters, and both of their output as result"
    )]
    NoEntry,

    /// Arena and memory do not fit into 32 bits.
    #[error(
        "the memory would have {pages} pages of 64 KiB with an arena of {arena} bytes and the host's heap behind it, the \
         ceiling is {ceiling}; {}",
        if *arena > 0 { "choose a smaller --arena" } else { "link the module with less memory" }
    )]
    TooLarge {
        /// Bytes of the arena; 0 where the module never grows its memory.
        arena: u64,
        /// Pages that the memory would have.
        pages: u64,
        /// The most it can have.
        ceiling: u64,
    },

    /// Initialising called a function of the host.
    #[error(
        "`{function}` calls the host function `{name}`, which only exists in a call of a node; do that in the entry points, \
         or let every call initialise anew with --init lazy"
    )]
    InitialiseCalls {
        /// What was run.
        function: String,
        /// The host function.
        name: String,
    },

    /// Initialising trapped or gave up.
    #[error("`{function}` failed: {message}{}", lines(said))]
    Initialise {
        /// What was run.
        function: String,
        /// What happened.
        message: String,
        /// The last lines that it wrote.
        said: Vec<String>,
    },

    /// Initialising did not end.
    #[error(
        "`{function}` was not done after {steps} instructions; a runtime's initialisation must not wait for anything, and \
         heavy work belongs into the entry points"
    )]
    InitialiseEndless {
        /// What was run.
        function: String,
        /// How many instructions it was granted.
        steps: u64,
    },

    /// The memory is too large to be initialised here.
    #[error("the memory would have {pages} pages of 64 KiB, more than the {most} that initialising may use")]
    InitialiseMemory {
        /// Pages it would have.
        pages: u64,
        /// The most allowed.
        most: u64,
    },

    /// The version of the runtime cannot be read.
    #[error("the version is not as expected: {0}")]
    Version(String),

    /// The environment that the module is to see cannot be.
    #[error("the environment is not as expected: {0}")]
    Environment(String),

    /// A pass cannot carry over what the module has.
    #[error(transparent)]
    Pass(#[from] crate::pass::PassError),

    /// A module cannot be adapted to this spec.
    #[error("a module is adapted to v1 or to local; `{0}` has no heap of its own")]
    Target(crate::Spec),

    /// The allocator could not be put into the module.
    #[error("the allocator cannot be put into the module")]
    Allocator(#[source] ConvertError),

    /// What was written is not valid: a mistake of the adapter.
    #[error(
        "the result would not be valid WebAssembly: {message} (offset {offset:#x} of the result); nothing was written, \
         please report it with the module"
    )]
    Result {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Byte offset into the result.
        offset: u64,
    },
}

impl AdaptError {
    pub(super) fn unsupported(what: impl Into<String>, section: SectionKind, offset: u64, why: &'static str) -> Self {
        Self::Unsupported { what: what.into(), section, offset, why }
    }
}

fn lines(lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!("; it wrote: {}", lines.join(" | ")) }
}

/// What was validated cannot be read.
pub(super) fn invalid(error: &wasmparser::BinaryReaderError) -> AdaptError {
    AdaptError::Invalid { message: error.message().to_owned(), section: None, offset: error.offset() }
}
