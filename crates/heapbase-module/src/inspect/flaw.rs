//! What can be wrong with a module that can be read.

use super::features::Feature;
use super::report::ExternKind;
use crate::{SectionKind, Spec};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::sync::Arc;

/// How bad a [`Flaw`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The module breaks its allocator spec, or no host can run it.
    Error,
    /// Hosts run it, but a stock node refuses it or does something else than intended.
    Warning,
    /// Worth knowing; nothing is wrong.
    Note,
}

/// Where in the module a problem is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The section.
    pub section: Option<SectionKind>,
    /// The import (`env.name`), the export or the custom section.
    pub name: Option<String>,
    /// Byte offset into the decompressed module.
    pub offset: Option<u64>,
}

/// One way to break a rule. The text tells what is so and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Validation fails, whichever features are allowed.
    #[error("not valid WebAssembly: {message}")]
    Invalid {
        /// The validator's words.
        message: String,
    },
    /// An export that the spec asks for is not there.
    #[error("spec `{spec}` asks for an export with this name, {expected}")]
    MissingExport {
        /// Whose rule this is.
        spec: Spec,
        /// What should be exported.
        expected: &'static str,
    },
    /// An import or export is of another kind than its name promises.
    #[error("is a {found}, but has to be {expected}")]
    WrongKind {
        /// What it is.
        found: ExternKind,
        /// What it should be.
        expected: &'static str,
    },
    /// An import or export has another type than its name promises.
    #[error("has the type `{found}`, but has to be {expected}")]
    WrongSignature {
        /// The type it has.
        found: Arc<str>,
        /// The type it should have.
        expected: &'static str,
    },
    /// A `v1` module imports the allocator of the host.
    #[error("imports the host's allocator although it exports `v1`: two allocators would hand out the same bytes")]
    MixedAllocators,
    /// The host cannot reach the memory.
    #[error("the memory is neither imported as `env.memory` nor exported as `memory`")]
    UnreachableMemory,
    /// Host and runtime exchange 32-bit addresses in one memory of 64 KiB pages that only one thread uses.
    #[error("the memory is {what}, but hosts share a plain one: 32-bit addresses, 64 KiB pages, one thread")]
    UnfitMemory {
        /// What makes it unfit.
        what: &'static str,
    },
    /// An import from a module that no host provides.
    #[error("imported from `{module}`, but hosts provide `env` only")]
    ForeignImport {
        /// The module it is imported from.
        module: String,
    },
    /// An import of something that no host provides.
    #[error("is a {kind}; hosts provide functions and the memory `env.memory`, nothing else")]
    UnknownImportKind {
        /// What is imported.
        kind: ExternKind,
    },
    /// Initialised data reaches into the heap.
    #[error("data reaches up to {data_end:#x}, above `__heap_base` at {heap_base:#x}: the heap would overwrite it")]
    DataAboveHeapBase {
        /// The first address behind the data.
        data_end: u64,
        /// The value of `__heap_base`.
        heap_base: u32,
    },
    /// A data segment does not fit into the memory a module begins with, so it cannot be instantiated.
    #[error("data reaches up to {data_end:#x}, past the end of memory at {memory_end:#x}: instantiation traps")]
    DataOutsideMemory {
        /// The first address behind the data.
        data_end: u64,
        /// Bytes of memory at the start.
        memory_end: u64,
    },
    /// The arena of a `local` module does not fit into the memory it begins with.
    #[error(
        "`__heap_base` at {heap_base:#x} lies past the end of memory at {memory_end:#x}: so would the arena below it"
    )]
    ArenaOutsideMemory {
        /// The value of `__heap_base`.
        heap_base: u32,
        /// Bytes of memory at the start.
        memory_end: u64,
    },
    /// The module's record of its conversion cannot be read.
    #[error("the record of the conversion cannot be read: {message}")]
    UnreadableRecord {
        /// What is wrong with it.
        message: String,
    },
    /// The module's record names another spec than its exports.
    #[error("records a conversion to `{recorded}`, but the exports say `{seen}`")]
    RecordMismatch {
        /// What the record says.
        recorded: Spec,
        /// What a host sees.
        seen: Spec,
    },
    /// A `local` module whose `__heap_base` is not a constant.
    #[error("`__heap_base` of a `local` module has to be an immutable global with a constant value")]
    MovingHeapBase,

    /// A stock node does not know a feature that is used.
    #[error("uses {feature} ({count} in all), which stock nodes refuse")]
    RefusedFeature {
        /// The feature.
        feature: Feature,
        /// How often it is used.
        count: u64,
    },
    /// A stock node refuses an encoding that is valid today.
    #[error("stock nodes refuse this encoding: {message}")]
    RefusedEncoding {
        /// The validator's words.
        message: String,
    },
    /// `__heap_base` can change.
    #[error("`__heap_base` is mutable; a host reads it once, after the start function")]
    MutableHeapBase,
    /// `__heap_base` is not a plain constant.
    #[error("`__heap_base` is not an `i32.const`: its value is known at run time only")]
    ComputedHeapBase,
    /// The memory is imported and exported.
    #[error("memory is both imported and exported; stock nodes turn the import into a second export of this name")]
    MemoryTwice,
    /// The custom section `runtime_version` does not decode.
    #[error("does not decode ({message}); nodes refuse the module")]
    UnreadableVersion {
        /// The decoder's words.
        message: String,
    },
    /// The custom section `runtime_apis` has a part of an entry at its end.
    #[error("holds {length} bytes, which is no multiple of 12: the last entry is cut off, and nodes refuse the module")]
    ClippedApis {
        /// Bytes of the section.
        length: usize,
    },
    /// Nothing can be called.
    #[error("no exported function has the type `(i32, i32) -> i64`: nothing here can be called")]
    NoEntryPoint,
    /// A node cannot tell the version.
    #[error("neither a `runtime_version` section nor the entry point `Core_version`: nodes cannot tell the version")]
    NoVersion,

    /// An exported function that cannot be called from outside.
    #[error("not callable as an entry point: its type is `{found}`, not `(i32, i32) -> i64`")]
    NotAnEntryPoint {
        /// The type it has.
        found: Arc<str>,
    },
    /// There is a start function.
    #[error("function {function} runs at every instantiation, before each call")]
    StartFunction {
        /// Index of the function.
        function: u32,
    },
    /// An export named `v1` that makes no `v1` module.
    #[error("is a {found}; only an exported function of this name makes a `v1` module")]
    MarkerIsNoFunction {
        /// What it is.
        found: ExternKind,
    },
    /// An allocator is exported, but not announced.
    #[error("an allocator is exported, but without a function `v1` hosts take the module as `legacy`")]
    AllocatorWithoutMarker,
    /// The same flaw again, more often than is worth listing.
    #[error("`{code}` in {count} more places")]
    More {
        /// The code of the flaw.
        code: &'static str,
        /// In how many more places it is.
        count: u64,
    },
}

impl Flaw {
    /// How bad it is, and its name for programs.
    fn rank(&self) -> (Severity, &'static str) {
        use Severity::{Error, Note, Warning};
        match self {
            Self::Invalid { .. } => (Error, "invalid"),
            Self::MissingExport { .. } => (Error, "missing-export"),
            Self::WrongKind { .. } => (Error, "wrong-kind"),
            Self::WrongSignature { .. } => (Error, "wrong-signature"),
            Self::MixedAllocators => (Error, "mixed-allocators"),
            Self::UnreachableMemory => (Error, "unreachable-memory"),
            Self::UnfitMemory { .. } => (Error, "unfit-memory"),
            Self::ForeignImport { .. } => (Error, "foreign-import"),
            Self::UnknownImportKind { .. } => (Error, "unknown-import-kind"),
            Self::DataAboveHeapBase { .. } => (Error, "data-above-heap-base"),
            Self::DataOutsideMemory { .. } => (Error, "data-outside-memory"),
            Self::ArenaOutsideMemory { .. } => (Error, "arena-outside-memory"),
            Self::UnreadableRecord { .. } => (Error, "unreadable-record"),
            Self::RecordMismatch { .. } => (Error, "record-mismatch"),
            Self::MovingHeapBase => (Error, "moving-heap-base"),
            Self::RefusedFeature { .. } => (Warning, "refused-feature"),
            Self::RefusedEncoding { .. } => (Warning, "refused-encoding"),
            Self::MutableHeapBase => (Warning, "mutable-heap-base"),
            Self::ComputedHeapBase => (Warning, "computed-heap-base"),
            Self::MemoryTwice => (Warning, "memory-twice"),
            Self::UnreadableVersion { .. } => (Warning, "unreadable-version"),
            Self::ClippedApis { .. } => (Warning, "clipped-apis"),
            Self::NoEntryPoint => (Warning, "no-entry-point"),
            Self::NoVersion => (Warning, "no-version"),
            Self::NotAnEntryPoint { .. } => (Note, "not-an-entry-point"),
            Self::StartFunction { .. } => (Note, "start-function"),
            Self::MarkerIsNoFunction { .. } => (Note, "marker-is-no-function"),
            Self::AllocatorWithoutMarker => (Note, "allocator-without-marker"),
            Self::More { .. } => (Note, "more"),
        }
    }
}

/// A flaw and its place. Serialises to `{code, severity, message, section, name, offset}`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What is wrong. Displays as a sentence.
    pub flaw: Flaw,
    /// Where it is.
    pub place: Place,
}

impl Problem {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.flaw.rank().0
    }

    /// Its name for programs, in lower case with hyphens. These names do not change.
    pub fn code(&self) -> &'static str {
        self.flaw.rank().1
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut problem = serializer.serialize_struct("Problem", 6)?;
        problem.serialize_field("code", self.code())?;
        problem.serialize_field("severity", &self.severity())?;
        problem.serialize_field("message", &self.flaw.to_string())?;
        problem.serialize_field("section", &self.place.section)?;
        problem.serialize_field("name", &self.place.name)?;
        problem.serialize_field("offset", &self.place.offset)?;
        problem.end()
    }
}
