//! Checks that a module is exactly the conversion of a known one.
//!
//! A converted or adapted module carries a record of how it was made ([`crate::record`]). [`verify`] repeats that on the original
//! and compares bytes: whoever knows the original need not trust whoever converted it. Any byte that was changed afterwards is
//! found, and its section named.
//!
//! # Across versions
//!
//! One version of heapbase gives the same bytes for ever, on every machine. Another version may convert differently; the record
//! names the version, and [`VerifyError::Differs`] names it where it is another one: verify with that version. The allocator is
//! named by its hash, so an allocator module of somebody else's has to be given again.
//!
//! ```
//! use heapbase_module::{Spec, convert::{Options, convert}, verify::{VerifyError, verify}};
//!
//! let original = wat::parse_str(
//!     r#"(module
//!          (import "env" "memory" (memory 17))
//!          (import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
//!          (global (export "__heap_base") i32 (i32.const 1048576))
//!          (func (export "Core_version") (param i32 i32) (result i64)
//!            (i64.extend_i32_u (call $malloc (i32.const 8)))))"#,
//! )?;
//! let mut converted = convert(&original, &Options::new(Spec::Local))?.wasm;
//! assert_eq!(verify(&original, &converted, None)?.to, Spec::Local);
//!
//! let last = converted.len() / 2;
//! converted[last] ^= 1;
//! assert!(matches!(verify(&original, &converted, None), Err(VerifyError::Differs { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::adapt::{self, AdaptError};
use crate::convert::{Allocator, ConvertError, Family, Options, convert};
use crate::record::{Record, SECTION};
use crate::section::section_at;
use crate::{Blake2_256, Blob, SectionKind, blob};
use wasmparser::{Parser, Payload};

/// Why a module is not known to be the conversion of another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The converted module cannot be read as a module.
    #[error("the converted module cannot be read: {message} ({section} section, offset {offset:#x})")]
    Malformed {
        /// What is wrong.
        message: String,
        /// The section there.
        section: SectionKind,
        /// Byte offset into the decompressed module.
        offset: u64,
    },

    /// The converted module carries no record.
    #[error("the converted module has no section `heapbase`: it does not say how it was made, or it was not converted")]
    NoRecord,

    /// The record cannot be read.
    #[error("the section `heapbase` of the converted module cannot be read")]
    Record(#[source] serde_json::Error),

    /// The record names an allocator that is not at hand.
    #[error(
        "the allocator `{name}` with BLAKE2-256 {hash} is not one that heapbase {} brings; name its file with --allocator, or \
         verify with heapbase {version}",
        env!("CARGO_PKG_VERSION")
    )]
    UnknownAllocator {
        /// Its name in the record.
        name: String,
        /// Its hash in the record.
        hash: String,
        /// The version that converted.
        version: String,
    },

    /// The allocator that was given has the recorded hash and another name, which would be recorded instead.
    #[error("the record calls the allocator `{recorded}`, and `{given}` has its bytes: give the file that name")]
    AllocatorName {
        /// Its name in the record.
        recorded: String,
        /// The name of what was given.
        given: String,
    },

    /// The module inside is the conversion, but its compressed form is not what heapbase writes.
    #[error(
        "the module inside is the conversion, but its compressed form is not the one that heapbase {} writes, from offset \
         {offset:#x} on: it can hold more than the module, and its hash is another; verify the module uncompressed, and \
         compress it by `heapbase convert --compressed`",
        env!("CARGO_PKG_VERSION")
    )]
    Compressed {
        /// Byte offset into the compressed form.
        offset: usize,
    },

    /// The original cannot be converted as the record says.
    #[error("the original cannot be converted as the record says")]
    Convert(#[source] ConvertError),

    /// The original cannot be adapted as the record says.
    #[error("the original cannot be adapted as the record says")]
    Adapt(#[source] AdaptError),

    /// The conversion gives other bytes.
    #[error(
        "not the conversion of this original: first difference at offset {offset:#x} of the converted module, in its \
         {section} section{}{}{}",
        name.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default(),
        if *same_original { "" } else { "; the record names another original" },
        other_version.as_ref().map(|version| format!("; it was converted by heapbase {version}, verify with that version")).unwrap_or_default(),
    )]
    Differs {
        /// Byte offset into the decompressed converted module.
        offset: usize,
        /// The section there.
        section: SectionKind,
        /// Name of a custom section.
        name: Option<String>,
        /// Whether the record's hash of the original is that of the original given.
        same_original: bool,
        /// The version that converted, where it is not this one.
        other_version: Option<String>,
    },
}

impl VerifyError {
    /// The section of the converted module to blame, the name of a custom section, and the byte offset where one is known.
    pub fn place(&self) -> Option<(SectionKind, Option<&str>, Option<u64>)> {
        match self {
            Self::Malformed { section, offset, .. } => Some((*section, None, Some(*offset))),
            Self::NoRecord | Self::Compressed { .. } => None,
            Self::Record(_)
            | Self::AllocatorName { .. }
            | Self::UnknownAllocator { .. }
            | Self::Convert(_)
            | Self::Adapt(_) => Some((SectionKind::Custom, Some(SECTION), None)),
            Self::Differs { offset, section, name, .. } => Some((*section, name.as_deref(), Some(*offset as u64))),
        }
    }
}

/// Repeats the conversion that `converted` records on `original`, and compares.
///
/// Both are raw modules. `allocator` is needed where the record names one that heapbase does not bring, by the same name.
///
/// # Errors
///
/// [`VerifyError`]: what keeps the two from being compared, or where they differ.
pub fn verify(original: &[u8], converted: &[u8], allocator: Option<&Allocator<'_>>) -> Result<Record, VerifyError> {
    let record = recorded(converted)?;
    let is_named =
        |allocator: &Allocator<'_>| Blake2_256::of(allocator.wasm()).to_string() == record.allocator_blake2_256;
    let given = allocator
        .filter(|given| is_named(given))
        .map(|given| Allocator::Module { name: given.name().to_owned(), wasm: given.wasm().into() });
    let family = || Family::from_name(&record.allocator).map(Allocator::Family).filter(is_named);
    // An adapted module need not have one.
    let none = || (record.adapted.is_some() && record.allocator.is_empty()).then(Allocator::default);
    let Some(allocator) = family().or(given).or_else(none) else {
        return Err(VerifyError::UnknownAllocator {
            name: record.allocator,
            hash: record.allocator_blake2_256,
            version: record.converter,
        });
    };
    // A file of the family's own bytes is the family, whatever it is called.
    if matches!(allocator, Allocator::Module { .. }) && allocator.name() != record.allocator {
        return Err(VerifyError::AllocatorName { given: allocator.name().to_owned(), recorded: record.allocator });
    }
    let expected = match &record.adapted {
        Some(adapted) => {
            let options = adapt::Options::recorded(&record, adapted, allocator);
            adapt::adapt(original, &options).map_err(VerifyError::Adapt)?.wasm
        }
        None => {
            let mut options = Options::new(record.to);
            options.allocator = allocator;
            options.arena = record.arena;
            options.routines = record.routines;
            options.in_place = record.in_place;
            convert(original, &options).map_err(VerifyError::Convert)?.wasm
        }
    };
    if expected == converted {
        return Ok(record);
    }
    let offset = expected.iter().zip(converted).take_while(|(a, b)| a == b).count();
    let (section, name) = section_at(converted, offset);
    Err(VerifyError::Differs {
        offset,
        section,
        name,
        same_original: record.original_blake2_256 == Blake2_256::of(original).to_string(),
        other_version: Some(record.converter).filter(|version| version != env!("CARGO_PKG_VERSION")),
    })
}

/// As [`verify`], of a converted module in its compressed form, which has to be the one that heapbase writes: it has room for
/// other data besides the module, and a chain authorises its hash.
///
/// # Errors
///
/// As for [`verify`], and [`VerifyError::Compressed`].
pub fn verify_compressed(
    original: &[u8],
    converted: &Blob<'_>,
    allocator: Option<&Allocator<'_>>,
) -> Result<Record, VerifyError> {
    let record = verify(original, converted.wasm(), allocator)?;
    let (found, expected) = (converted.stored(), blob::compress(converted.wasm()).unwrap_or_default());
    match found.iter().zip(&expected).position(|(a, b)| a != b) {
        None if found.len() == expected.len() => Ok(record),
        differs => Err(VerifyError::Compressed { offset: differs.unwrap_or(found.len().min(expected.len())) }),
    }
}

/// The record that a converted module carries.
///
/// # Errors
///
/// [`VerifyError::Malformed`], [`VerifyError::NoRecord`], [`VerifyError::Record`].
pub fn recorded(converted: &[u8]) -> Result<Record, VerifyError> {
    for payload in Parser::new(0).parse_all(converted) {
        match payload {
            Ok(Payload::CustomSection(section)) if section.name() == SECTION => {
                return Record::read(section.data()).map_err(VerifyError::Record);
            }
            Ok(_) => {}
            Err(error) => {
                let (section, _) = section_at(converted, error.offset() as usize);
                return Err(VerifyError::Malformed {
                    message: error.message().to_owned(),
                    section,
                    offset: error.offset(),
                });
            }
        }
    }
    Err(VerifyError::NoRecord)
}
