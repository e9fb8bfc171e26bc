//! What can go wrong, where, and what to do about it.

use std::fmt;

/// Why a runtime could not be loaded, or a call could not be made or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The compressed form could not be decompressed within the limit.
    #[error(
        "the compressed module does not decompress: {reason}; it must be zstd behind the 8-byte magic and give at most {limit} bytes"
    )]
    Decompress {
        /// What the decompressor said.
        reason: String,
        /// [`Limits::decompressed_bytes`](crate::Limits::decompressed_bytes).
        limit: usize,
    },
    /// The module is larger than the limit.
    #[error("the module has {size} bytes, the limit is {limit}; raise `Limits::module_bytes` if it can be trusted")]
    ModuleTooLarge {
        /// Bytes of the raw module.
        size: usize,
        /// [`Limits::module_bytes`](crate::Limits::module_bytes).
        limit: usize,
    },
    /// The bytes are not a WebAssembly module.
    #[error("not a WebAssembly module: it begins with {found}, a module begins with 0061736d01000000")]
    NotWasm {
        /// The first bytes in hex.
        found: String,
    },
    /// The bytes do not have the form of a module: it was cut short or damaged.
    #[error("malformed module: {message} (in or after the {section} section, at offset 0x{offset:x})")]
    Malformed {
        /// What the reader said.
        message: String,
        /// The last section that was found whole.
        section: &'static str,
        /// Byte offset in the raw module.
        offset: usize,
    },
    /// The module is invalid, or uses a WebAssembly feature that is not enabled.
    #[error("invalid module: {message} (in the {section} section, at offset 0x{offset:x})")]
    Invalid {
        /// What the validator said.
        message: String,
        /// The section in which it was found.
        section: &'static str,
        /// Byte offset in the raw module.
        offset: usize,
    },
    /// The allocator spec requires an export that is not there.
    #[error("the {spec} allocator spec requires the export `{name}` ({expected}), but {found}")]
    MissingExport {
        /// The spec that the module's exports select.
        spec: Spec,
        /// Name of the export.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What was found instead.
        found: String,
    },
    /// An export of the allocator spec has another signature.
    #[error("the {spec} allocator spec requires `{name}: {expected}`, but the module exports `{name}: {found}`")]
    WrongSignature {
        /// The spec that the module's exports select.
        spec: Spec,
        /// Name of the export.
        name: &'static str,
        /// The signature it has to have.
        expected: &'static str,
        /// The signature it has.
        found: String,
    },
    /// A `v1` module imports the legacy allocator: two allocators that do not know each other would hand out the same bytes.
    #[error("mixed allocators: the module exports `v1` and also imports {}; remove one of the two", list(imports))]
    MixedAllocators {
        /// The legacy imports, as `module.name`.
        imports: Vec<String>,
    },
    /// Imports that no host function answers, in strict mode.
    #[error("the host knows nothing of {}; without strict mode they would trap when called", list(.0))]
    UnknownImports(
        /// The imports, as `module.name`.
        Vec<String>,
    ),
    /// An import that is neither a function nor the memory.
    #[error("cannot provide the import `{name}`: it is a {kind}, a host provides functions and `env.memory`")]
    UnsupportedImport {
        /// The import, as `module.name`.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// A function is imported with another signature than the host function has, or with two.
    #[error("the import `{name}` is declared as {found}, it is {expected}")]
    ImportSignature {
        /// The import, as `module.name`.
        name: String,
        /// The host function's signature; of a function that no host knows, that of its first import.
        expected: String,
        /// The signature in the module.
        found: String,
    },
    /// The module has no memory that the host can use, or more than one.
    #[error("the module {found}; a runtime imports `env.memory` or exports its only memory as `memory`")]
    Memory {
        /// What was found.
        found: &'static str,
    },
    /// The memory does not fit the limit.
    #[error("the module asks for {pages} pages of memory, the limit is {limit} (a page is 64 KiB)")]
    MemoryTooLarge {
        /// Declared minimum and heap pages together.
        pages: u64,
        /// [`Limits::memory_pages`](crate::Limits::memory_pages).
        limit: u32,
    },
    /// A data segment lies outside of the memory's declared minimum.
    #[error(
        "data segment {index} covers {start:#x}..{end:#x}, past the {size:#x} bytes of memory that the module declares"
    )]
    DataOutOfBounds {
        /// Index of the segment.
        index: u32,
        /// First address.
        start: u64,
        /// Address past the last.
        end: u64,
        /// Bytes of the declared minimum.
        size: u64,
    },
    /// The engine refused the module after it had been validated.
    #[error("{engine} cannot load the module: {reason}")]
    Engine {
        /// Which engine.
        engine: crate::Engine,
        /// What it said.
        reason: String,
    },
    /// The module does not export the entry point that was asked for.
    #[error("the runtime has no entry point `{name}`{}", suggest(similar))]
    NoEntry {
        /// What was asked for.
        name: String,
        /// Exported functions with a similar name.
        similar: Vec<String>,
    },
    /// The export is not of an entry point's type.
    #[error("`{name}` is not an entry point: it is {found}, an entry point is (i32, i32) -> i64")]
    NotAnEntry {
        /// What was asked for.
        name: String,
        /// What it is.
        found: String,
    },
    /// The state holds no code.
    #[error("there is no runtime: the state has nothing under `:code`")]
    NoCode,
    /// The input does not fit 32 bits.
    #[error("the input has {0} bytes, a runtime's addresses have 32 bits")]
    InputTooLarge(
        /// Bytes of the input.
        usize,
    ),
    /// The call ended in a trap.
    #[error(transparent)]
    Call(Box<CallError>),
    /// The runtime's version cannot be told.
    #[error("the runtime's version cannot be told: {reason}")]
    Version {
        /// What does not decode.
        reason: String,
    },
    /// The root of the state after the call cannot be computed.
    #[error("the call returned, but the state's new root cannot be computed: {reason}")]
    Root {
        /// What the trie said.
        reason: String,
    },
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] crate::state::StateError),
}

/// Who owns the heap, as the module's exports decide (`spec/v1.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spec {
    /// The host allocates, from `__heap_base` up.
    Legacy,
    /// The runtime allocates: RFC-0061.
    V1,
}

impl Spec {
    /// The name used on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Spec::Legacy => "legacy",
            Spec::V1 => "v1",
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A call that ended in a trap, with everything that is known of it.
#[derive(Debug, Clone)]
pub struct CallError {
    /// The entry point.
    pub entry: String,
    /// Why it ended.
    pub cause: Cause,
    /// The runtime's own panic message, where it left one.
    pub panic_message: Option<String>,
    /// The host function that was being executed.
    pub host_function: Option<String>,
    /// The last lines that the runtime logged, oldest first.
    pub log: Vec<LogLine>,
    /// The Wasm frames, innermost first. Empty under [`Engine::Wasmi`](crate::Engine::Wasmi), which keeps none.
    pub backtrace: Vec<Frame>,
    /// The last time that the runtime wanted more memory and got none. A runtime that owns its heap and runs out of memory
    /// traps without a word; this is why.
    pub refused_growth: Option<RefusedGrowth>,
    /// What the call had used by then.
    pub statistics: crate::Statistics,
}

/// A `memory.grow` that was answered with -1. All figures are in pages of 64 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedGrowth {
    /// What the memory had.
    pub pages: u32,
    /// How many more were asked for.
    pub additional: u32,
    /// How many the call could have had in all: by its [`HeapPages`](crate::HeapPages), by
    /// [`Limits::memory_pages`](crate::Limits::memory_pages), by the maximum that the module declares.
    pub limit: u32,
}

/// Why a call ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The module's own code trapped: `unreachable`, an access out of bounds, an exhausted stack …
    Trap(String),
    /// The allocator had no memory for a buffer of this many bytes.
    OutOfMemory {
        /// Bytes asked for.
        requested: u32,
    },
    /// The runtime's `alloc` answered with a block that cannot be used.
    AllocatorFault {
        /// The address it answered with.
        addr: u32,
        /// Bytes asked for.
        size: u32,
        /// Which rule the block breaks.
        rule: &'static str,
    },
    /// The runtime's `alloc` called a host function that itself needs `alloc`.
    AllocatorReentered,
    /// The runtime's `alloc` trapped.
    AllocatorTrapped(String),
    /// The host's allocator found its heap corrupted, or was given an address that it never handed out.
    LegacyAllocator(String),
    /// A host function refused its arguments or failed.
    HostFunction(String),
    /// The runtime called an import that the host does not know.
    UnknownImport(String),
    /// The entry point's result does not lie inside of memory.
    OutputOutOfBounds {
        /// Address of the result.
        ptr: u32,
        /// Its length.
        len: u32,
        /// Bytes of memory.
        memory: u64,
    },
    /// The call used up its fuel.
    OutOfFuel,
    /// The call exchanged more bytes with host functions than its limits allow.
    TooManyBytes,
    /// The module could not be instantiated; its start function may have trapped.
    Instantiation(String),
}

/// One line of the runtime's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Severity.
    pub level: log::Level,
    /// The target that the runtime named.
    pub target: String,
    /// The text.
    pub message: String,
}

/// One frame of a Wasm backtrace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Index of the function.
    pub function: u32,
    /// Its demangled name, where the module has a name section.
    pub name: Option<String>,
    /// Byte offset of the instruction in the raw module.
    pub offset: Option<usize>,
}

impl std::error::Error for CallError {}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Error::Call(Box::new(error))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Trap(message) => f.write_str(message),
            Cause::OutOfMemory { requested } => {
                write!(f, "out of memory: {requested} bytes do not fit; the limit on heap pages may be raised")
            }
            Cause::AllocatorFault { addr, size, rule } => {
                write!(f, "the runtime's allocator is faulty: `alloc({size})` returned {addr:#x}, {rule}")
            }
            Cause::AllocatorReentered => {
                f.write_str("the runtime's `alloc` called a host function that itself needs `alloc`")
            }
            Cause::AllocatorTrapped(message) => {
                write!(f, "the runtime's `alloc` trapped: {message}")
            }
            Cause::LegacyAllocator(message) => write!(f, "the host's allocator: {message}"),
            Cause::HostFunction(message) => f.write_str(message),
            Cause::UnknownImport(name) => write!(f, "the runtime called `{name}`, which this host does not know"),
            Cause::OutputOutOfBounds { ptr, len, memory } => {
                write!(f, "the result, {len} bytes at {ptr:#x}, does not lie inside of the {memory:#x} bytes of memory")
            }
            Cause::OutOfFuel => f.write_str("the call used up its fuel"),
            Cause::TooManyBytes => f.write_str(
                "the call exchanged more bytes with host functions than `Limits::host_bytes`, or its fuel, allow",
            ),
            Cause::Instantiation(message) => {
                write!(f, "the module could not be instantiated: {message}")
            }
        }
    }
}

impl fmt::Display for RefusedGrowth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RefusedGrowth { pages, additional, limit } = self;
        write!(
            f,
            "out of memory: of {limit} pages of 64 KiB it had {pages} and wanted {additional} more; raise the heap pages, \
             or the maximum that the module declares"
        )
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.panic_message {
            Some(message) => write!(f, "`{}` panicked: {message}", self.entry)?,
            None => write!(f, "`{}` failed: {}", self.entry, self.cause)?,
        }
        if let Some(name) = &self.host_function {
            write!(f, " (in the host function `{name}`)")?;
        }
        if let Some(refused) = self.refused_growth {
            write!(f, "; {refused}")?;
        }
        for line in &self.log {
            write!(f, "\n  log {} {}: {}", line.level, line.target, line.message)?;
        }
        for (depth, frame) in self.backtrace.iter().enumerate() {
            write!(f, "\n  {depth:>3}: {frame}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}")?,
            None => write!(f, "function {}", self.function)?,
        }
        match self.offset {
            Some(offset) => write!(f, " at 0x{offset:x}"),
            None => Ok(()),
        }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn suggest(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; similar: {}", list(names)) }
}
