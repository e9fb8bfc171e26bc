//! From a file to a module.
//!
//! What a person calls "the runtime" comes in three wrappings, and this room takes off whichever is there:
//!
//! | first bytes | what it is |
//! | --- | --- |
//! | `00 61 73 6d 01 00 00 00` | a WebAssembly module |
//! | `52 bc 53 76 46 db 8e 05` | the compressed form of the Polkadot SDK: this magic, then zstd |
//! | `{` | JSON with the storage value `:code`, itself in one of the two forms above (see [`Source`]) |
//!
//! Nothing else is guessed at. What a file looks like instead is told in [`Error::NotARuntime`].

mod found;
mod json;

pub use found::{Found, Layer};
pub use json::JsonShape;

use crate::{Blake2_256, Error};
use std::borrow::Cow;

/// The largest decompressed module that nodes accept: 50 MiB, [`sp_maybe_compressed_blob::CODE_BLOB_BOMB_LIMIT`].
pub const DEFAULT_LIMIT: usize = sp_maybe_compressed_blob::CODE_BLOB_BOMB_LIMIT;

/// What stands before the zstd stream of a compressed runtime.
pub const COMPRESSED_MAGIC: [u8; 8] = [0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05];

/// What a core WebAssembly module of version 1 begins with.
pub const WASM_MAGIC: [u8; 8] = *b"\0asm\x01\0\0\0";

/// In what a runtime was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The bytes are the runtime, compressed or not.
    File,
    /// A raw chain specification: `genesis.raw.top`.
    RawChainSpec,
    /// A chain specification that is not raw but names its code: `genesis.runtimeGenesis.code`.
    PlainChainSpec,
    /// Raw storage, as in a case: `top`.
    Storage,
}

/// A runtime as it was stored, and the module inside it.
///
/// ```
/// use heapbase_module::Blob;
///
/// let module = b"\0asm\x01\0\0\0";
/// let json = format!(r#"{{"top": {{"0x3a636f6465": "0x{}"}}}}"#, hex::encode(module));
/// let blob = Blob::read(json.as_bytes())?;
/// assert_eq!(blob.wasm(), module);
/// assert!(!blob.is_compressed());
/// # Ok::<(), heapbase_module::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blob<'a> {
    source: Source,
    stored: Cow<'a, [u8]>,
    unpacked: Option<Vec<u8>>,
}

impl<'a> Blob<'a> {
    /// Reads `bytes` with the limit that nodes set, [`DEFAULT_LIMIT`].
    ///
    /// # Errors
    ///
    /// See [`Blob::read_bounded`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::read_bounded(bytes, DEFAULT_LIMIT)
    }

    /// Reads `bytes`, and decompresses to at most `limit` bytes. A module that is not compressed may have any size.
    ///
    /// # Errors
    ///
    /// [`Error::NotARuntime`], [`Error::Bomb`], [`Error::Corrupt`], [`Error::Json`], [`Error::NoCode`] or
    /// [`Error::Hex`]; never [`Error::Malformed`]: of the module only the first eight bytes are looked at.
    pub fn read_bounded(bytes: &'a [u8], limit: usize) -> Result<Self, Error> {
        if json::looks_like(bytes) {
            let (source, code) = json::code(bytes)?;
            Self::unpack(source, Layer::Code, Cow::Owned(code), limit)
        } else {
            Self::unpack(Source::File, Layer::File, Cow::Borrowed(bytes), limit)
        }
    }

    fn unpack(source: Source, layer: Layer, stored: Cow<'a, [u8]>, limit: usize) -> Result<Self, Error> {
        if !stored.starts_with(&COMPRESSED_MAGIC) {
            expect_module(layer, &stored)?;
            return Ok(Self { source, stored, unpacked: None });
        }
        // The decoder reads one byte more than the limit to tell a bomb, so the largest number has to stay free.
        let limit = limit.min(usize::MAX - 1);
        let unpacked = sp_maybe_compressed_blob::decompress(&stored, limit)
            .map_err(|error| match error {
                sp_maybe_compressed_blob::Error::PossibleBomb => Error::Bomb { layer, stored: stored.len(), limit },
                sp_maybe_compressed_blob::Error::Invalid => Error::Corrupt { layer, stored: stored.len() },
            })?
            .into_owned();
        expect_module(Layer::Decompressed, &unpacked)?;
        Ok(Self { source, stored, unpacked: Some(unpacked) })
    }

    /// The module, decompressed. Begins with [`WASM_MAGIC`].
    pub fn wasm(&self) -> &[u8] {
        self.unpacked.as_deref().unwrap_or(&self.stored)
    }

    /// The module, decompressed, without a copy where the blob owns it.
    pub fn into_wasm(self) -> Vec<u8> {
        self.unpacked.unwrap_or_else(|| self.stored.into_owned())
    }

    /// The runtime as it was stored: what a chain holds under `:code`, compressed or not.
    pub fn stored(&self) -> &[u8] {
        &self.stored
    }

    /// Whether [`stored`](Self::stored) is the compressed form.
    pub fn is_compressed(&self) -> bool {
        self.unpacked.is_some()
    }

    /// In what the runtime was found.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The hash of the module, decompressed.
    pub fn blake2_256(&self) -> Blake2_256 {
        Blake2_256::of(self.wasm())
    }

    /// The hash of the compressed form, which is what a chain authorises; `None` where the module is not compressed.
    pub fn blake2_256_compressed(&self) -> Option<Blake2_256> {
        self.is_compressed().then(|| Blake2_256::of(&self.stored))
    }
}

/// The compressed form of a module: what `:code` holds on most chains. `None` above [`DEFAULT_LIMIT`], which no node would
/// decompress again.
pub fn compress(wasm: &[u8]) -> Option<Vec<u8>> {
    sp_maybe_compressed_blob::compress_strongly(wasm, DEFAULT_LIMIT)
}

pub(crate) fn expect_module(layer: Layer, bytes: &[u8]) -> Result<(), Error> {
    if bytes.starts_with(&WASM_MAGIC) {
        Ok(())
    } else {
        Err(Error::NotARuntime { layer, found: Found::classify(bytes) })
    }
}
