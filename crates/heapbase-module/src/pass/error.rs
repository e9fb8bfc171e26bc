//! Why a pass refuses a module.

use crate::{SectionKind, inspect::Feature};

/// Why a pass refuses a module. The input is untouched in every case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassError {
    /// The bytes cannot be read as a module.
    #[error(transparent)]
    Read(#[from] crate::Error),

    /// The module breaks a rule of WebAssembly, so no host would load it.
    #[error("the module is not valid WebAssembly: {message} (offset {offset:#x}); build it again")]
    Invalid {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Byte offset into the module.
        offset: u64,
    },

    /// The module uses something that the pass cannot express otherwise.
    #[error("{what} ({section} section, offset {offset:#x}) needs {feature}: {why}")]
    Unsupported {
        /// What the module has.
        what: String,
        /// The proposal that it belongs to.
        feature: Feature,
        /// Where.
        section: SectionKind,
        /// Byte offset into the module.
        offset: u64,
        /// Why there is no other way to say it, and what to do.
        why: &'static str,
    },

    /// What comes out would pass a limit.
    #[error("{what} would have {size} {unit}, the most is {limit}{}; {remedy}", offset.map(|offset| format!(" (offset {offset:#x})")).unwrap_or_default())]
    TooLarge {
        /// What becomes too large.
        what: String,
        /// How large.
        size: u64,
        /// What is counted.
        unit: &'static str,
        /// The largest allowed.
        limit: u64,
        /// Byte offset into the module, where one place is to blame.
        offset: Option<u64>,
        /// What to do.
        remedy: &'static str,
    },

    /// What was written is not valid: a mistake of the pass.
    #[error(
        "the result would not be valid WebAssembly: {message} (offset {offset:#x} of the result); nothing was written, \
         please report the module"
    )]
    Result {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Byte offset into the result.
        offset: u64,
    },
}

impl PassError {
    pub(crate) fn invalid(error: &wasmparser::BinaryReaderError) -> Self {
        Self::Invalid { message: error.message().to_owned(), offset: error.offset() }
    }

    pub(crate) fn unsupported(
        what: impl Into<String>,
        feature: Feature,
        section: SectionKind,
        offset: u64,
        why: &'static str,
    ) -> Self {
        Self::Unsupported { what: what.into(), feature, section, offset, why }
    }
}

/// What was validated is read again: it does not fail, and if it did, this says where.
impl From<wasmparser::BinaryReaderError> for PassError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::invalid(&error)
    }
}

impl From<wasm_encoder::reencode::Error<PassError>> for PassError {
    fn from(error: wasm_encoder::reencode::Error<PassError>) -> Self {
        match error {
            wasm_encoder::reencode::Error::UserError(error) => error,
            wasm_encoder::reencode::Error::ParseError(error) => Self::invalid(&error),
            other => Self::Invalid { message: other.to_string(), offset: 0 },
        }
    }
}
