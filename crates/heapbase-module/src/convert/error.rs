//! Why a module is not converted.

use crate::SectionKind;
use crate::spec::Spec;

/// Why a module is not converted. The input is untouched in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The bytes cannot be read as a module.
    #[error(transparent)]
    Read(#[from] crate::Error),

    /// The module breaks a rule of WebAssembly, so no node would load it.
    #[error("the module is not valid WebAssembly: {message} (offset {offset:#x}); build it again")]
    Invalid {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Byte offset into the decompressed module.
        offset: usize,
    },

    /// The module owns its heap already, and says nothing of having been converted.
    #[error(
        "the module exports the function `v1`: it brings an allocator of its own, and no record of a conversion that could \
         be undone; there is nothing to convert"
    )]
    OwnsItsHeap,

    /// The module already is what it should become.
    #[error("the module is {0} already; there is nothing to convert")]
    Already(Spec),

    /// The module was adapted, which is not taken back.
    #[error("the module was adapted to {0} from what a toolchain made; adapt that again, to the spec that is wanted")]
    Adapted(Spec),

    /// The module does not use the host's allocator.
    #[error(
        "the module does not import `ext_allocator_malloc_version_1`: it allocates nothing from the host, so there is \
         nothing to move into an arena"
    )]
    NoAllocator,

    /// An import or export has another type than the allocator spec says.
    #[error("`{name}` is {found}, expected {expected} ({section} section)")]
    WrongType {
        /// Name of the import or export.
        name: String,
        /// Where it stands.
        section: SectionKind,
        /// What it is.
        found: String,
        /// What it has to be.
        expected: &'static str,
    },

    /// A name that the conversion must export is taken.
    #[error(
        "the module exports `{0}` already, which v1 needs for its allocator (export section); rename it in the source"
    )]
    NameTaken(String),

    /// The module uses something that the conversion cannot carry over.
    #[error("{what} ({section} section{}); {why}", offset.map(|offset| format!(", offset {offset:#x}")).unwrap_or_default())]
    Unsupported {
        /// What the module has.
        what: String,
        /// Where.
        section: SectionKind,
        /// Byte offset into the decompressed module, where one place is to blame.
        offset: Option<u64>,
        /// Why that cannot be converted, and what to do.
        why: &'static str,
    },

    /// Arena and memory do not fit into 32 bits.
    #[error(
        "an arena of {arena} bytes does not fit: the memory would have {pages} pages of 64 KiB, the ceiling is {ceiling}; \
         choose a smaller arena"
    )]
    TooLarge {
        /// Bytes of the arena.
        arena: u64,
        /// The memory's new minimum or maximum.
        pages: u64,
        /// The largest allowed.
        ceiling: u64,
    },

    /// The arena is too small for the allocator's state and a first block.
    #[error("an arena of {arena} bytes is too small: the allocator needs at least {least}")]
    TooSmall {
        /// Bytes of the arena.
        arena: u64,
        /// The smallest that works.
        least: u64,
    },

    /// An allocator module does not follow the interface.
    #[error(
        "the allocator module `{name}` {problem}; its interface is documented in `heapbase_module::convert::allocator`"
    )]
    Allocator {
        /// Name of the allocator, or of its file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },

    /// The module's record of a conversion does not fit the module.
    #[error("the section `heapbase` does not describe this module: {0}; take the original instead")]
    Record(String),

    /// What was written is not valid: a mistake of the converter, or a record that was tampered with.
    #[error(
        "the result would not be valid WebAssembly: {message} (offset {offset:#x} of the result); nothing was written"
    )]
    Result {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Byte offset into the result.
        offset: usize,
    },
}

impl ConvertError {
    pub(super) fn unsupported(what: impl Into<String>, section: SectionKind, why: &'static str) -> Self {
        Self::Unsupported { what: what.into(), section, offset: None, why }
    }
}

/// Validation of what came in.
pub(super) fn invalid(error: &wasmparser::BinaryReaderError) -> ConvertError {
    ConvertError::Invalid { message: error.message().to_owned(), offset: error.offset() as usize }
}
