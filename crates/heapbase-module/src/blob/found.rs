//! What a file looks like when it is not a runtime: half of a good error message.

use super::{COMPRESSED_MAGIC, WASM_MAGIC};
use std::fmt;

/// Which wrapping the bytes in question were found under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The bytes as they were given.
    File,
    /// The value of `:code` in a JSON file.
    Code,
    /// What a compressed blob expanded to.
    Decompressed,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "the file",
            Self::Code => "the `:code` of the JSON",
            Self::Decompressed => "the decompressed blob",
        })
    }
}

/// What bytes that are not a runtime look like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Found {
    /// Nothing at all.
    Empty,
    /// The start of a module, cut off within its eight-byte header.
    TruncatedHeader,
    /// A WebAssembly component; a runtime is a core module.
    Component,
    /// A WebAssembly module of another version than 1.
    WasmVersion(u32),
    /// The text form of a WebAssembly module.
    WasmText,
    /// A PolkaVM program.
    PolkaVm,
    /// The compressed form, compressed a second time.
    CompressedTwice,
    /// A zstd stream without the magic of the Polkadot SDK before it.
    BareZstd,
    /// A gzip file.
    Gzip,
    /// Hexadecimal digits instead of the bytes that they stand for.
    HexText,
    /// A native program or library (ELF, Mach-O or PE).
    NativeBinary,
    /// Something else, by its first eight bytes (fewer where there are fewer).
    Other(Vec<u8>),
}

impl Found {
    /// Tells by the first bytes what `bytes` are.
    pub(super) fn classify(bytes: &[u8]) -> Self {
        let version = bytes.get(4..8).map(|v| u32::from_le_bytes([v[0], v[1], v[2], v[3]]));
        match (bytes, version) {
            ([], _) => Self::Empty,
            (b"\0asm" | [b'\0', b'a', b's', b'm', ..], None) => Self::TruncatedHeader,
            ([b'\0', b'a', b's', b'm', ..], Some(0x0001_000d)) => Self::Component,
            ([b'\0', b'a', b's', b'm', ..], Some(version)) => Self::WasmVersion(version),
            _ if WASM_MAGIC.starts_with(bytes) || COMPRESSED_MAGIC.starts_with(bytes) => Self::TruncatedHeader,
            _ if bytes.starts_with(&COMPRESSED_MAGIC) => Self::CompressedTwice,
            _ if bytes.starts_with(b"PVM\0") => Self::PolkaVm,
            _ if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => Self::BareZstd,
            _ if bytes.starts_with(&[0x1f, 0x8b]) => Self::Gzip,
            _ if is_native(bytes) => Self::NativeBinary,
            _ if is_wasm_text(bytes) => Self::WasmText,
            _ if is_hex(bytes) => Self::HexText,
            _ => Self::Other(bytes.iter().take(8).copied().collect()),
        }
    }
}

fn is_native(bytes: &[u8]) -> bool {
    [&b"\x7fELF"[..], &b"\xcf\xfa\xed\xfe"[..], &b"MZ"[..]].iter().any(|magic| bytes.starts_with(magic))
}

fn is_wasm_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"(module") || text.starts_with(b";;") || text.starts_with(b"(;")
}

fn is_hex(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    digits.len() >= 8 && digits.iter().all(u8::is_ascii_hexdigit)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no bytes at all",
            Self::TruncatedHeader => "the start of a runtime, cut off within its first eight bytes",
            Self::Component => "a WebAssembly component (a runtime is a core module)",
            Self::WasmVersion(version) => {
                return write!(f, "WebAssembly of version {version:#x} (a runtime has 1)");
            }
            Self::WasmText => "WebAssembly in text form (assemble it first, with wat2wasm or `wasm-tools parse`)",
            Self::PolkaVm => "a PolkaVM program",
            Self::CompressedTwice => "a compressed runtime within a compressed runtime (nodes unpack once)",
            Self::BareZstd => "a zstd stream without the eight-byte magic of a compressed runtime",
            Self::Gzip => "a gzip file (unpack it first)",
            Self::HexText => "hexadecimal text (turn it into bytes first, with `xxd -r -p`)",
            Self::NativeBinary => "a native program or library",
            Self::Other(first) => return write!(f, "the bytes {}", hex::encode(first)),
        })
    }
}
