//! Why bytes could not be read as a runtime.

use crate::blob::{Found, JsonShape, Layer};
use crate::section::SectionKind;

/// Why bytes could not be read as a runtime.
///
/// A module that *can* be read but breaks a rule is no error: see [`Problem`](crate::Problem).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are neither a module nor anything that holds one.
    #[error(
        "{layer} is not a runtime: found {found}; accepted are a WebAssembly module, the compressed form of the \
         Polkadot SDK (52bc537646db8e05 and zstd), and JSON with the storage value `:code` (a raw chain specification \
         or a case)"
    )]
    NotARuntime {
        /// Where these bytes were found.
        layer: Layer,
        /// What they look like.
        found: Found,
    },

    /// The decompressed module would be larger than allowed.
    #[error(
        "possible compression bomb: {layer} holds {stored} bytes which expand past the limit of {limit} bytes; raise \
         the limit only for a blob that you trust"
    )]
    Bomb {
        /// Where the compressed blob was found.
        layer: Layer,
        /// Bytes of the compressed blob, with its magic.
        stored: usize,
        /// The largest decompressed size allowed, in bytes.
        limit: usize,
    },

    /// The compressed form is cut off or damaged.
    #[error(
        "{layer} is a compressed runtime of {stored} bytes whose zstd stream is truncated or corrupt; fetch it again"
    )]
    Corrupt {
        /// Where the compressed blob was found.
        layer: Layer,
        /// Bytes of the compressed blob, with its magic.
        stored: usize,
    },

    /// The file begins like JSON and is not, or its storage has another shape.
    #[error("the file begins like JSON but cannot be read as a chain specification or a case")]
    Json(
        /// What is wrong, with line and column.
        #[source]
        serde_json::Error,
    ),

    /// The JSON holds no `:code`.
    #[error("{shape} holds no runtime: {}", shape.remedy())]
    NoCode {
        /// What kind of document it is.
        shape: JsonShape,
    },

    /// The `:code` of the JSON is not hexadecimal.
    #[error("the `:code` of the JSON is not hexadecimal")]
    Hex(
        /// The first wrong digit, by its index behind `0x`.
        #[source]
        hex::FromHexError,
    ),

    /// The bytes begin as a module and then break the binary format.
    #[error("malformed module: {message} ({section} section{}, offset {offset:#x})", name.as_ref().map(|name| format!(", {name}")).unwrap_or_default())]
    Malformed {
        /// The section that cannot be read.
        section: SectionKind,
        /// The item in that section, such as `function 12`, where it is known.
        name: Option<String>,
        /// Byte offset into the decompressed module.
        offset: u64,
        /// What is wrong there, in the words of the reader.
        message: String,
    },
}
