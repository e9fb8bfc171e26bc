//! The custom section in which a converted module says what was done to it.
//!
//! The section is named [`SECTION`] and holds one JSON object in UTF-8. It names everything that the conversion depends on
//! besides the original, so that anybody can repeat it ([`verify`](crate::verify::verify())), and what is needed to take it back.
//! A reader takes the keys it knows and leaves the rest; a module whose section says no more than `to` is reported by
//! `inspect`, but cannot be taken back.
//!
//! ```
//! use heapbase_module::{Spec, record::Record};
//!
//! let record = Record::read(br#"{"to": "local", "allocator": "size-class"}"#).unwrap();
//! assert_eq!(record.to, Spec::Local);
//! ```

use crate::adapt::{Entry, Init, MemoryLink, Version};
use crate::{Blake2_256, Spec};
use serde::{Deserialize, Serialize};

/// The name of the custom section.
pub const SECTION: &str = "heapbase";

/// What a converted module says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The allocator spec that the module was converted to.
    pub to: Spec,
    /// The version of heapbase that converted it.
    #[serde(default)]
    pub converter: String,
    /// The allocator's name: one of the family, or that of a file; empty where none was put in.
    #[serde(default)]
    pub allocator: String,
    /// BLAKE2-256 of the allocator module, as hexadecimal digits behind `0x`.
    #[serde(default)]
    pub allocator_blake2_256: String,
    /// Bytes of the arena; 0 under v1.
    #[serde(default)]
    pub arena: u32,
    /// Whether growing of blocks of the runtime's own was found and led to the allocator's.
    #[serde(default)]
    pub in_place: bool,
    /// Whether routines of the compiler were found in the runtime and got quicker bodies.
    #[serde(default)]
    pub routines: bool,
    /// BLAKE2-256 of the original, raw, as hexadecimal digits behind `0x`.
    #[serde(default)]
    pub original_blake2_256: String,
    /// How the conversion is taken back: in the section as hexadecimal digits of its `postcard` encoding, a third of what JSON
    /// takes, and an object in what versions before 0.1.0 wrote.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "packed")]
    pub undo: Option<Undo>,
    /// How the module was adapted; none for one that was converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapted: Option<Adapted>,
}

/// How a module was adapted, besides what a conversion says too. Equal to the fields of [`Options`](crate::adapt::Options).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Adapted {
    /// How the memory is shared.
    pub memory: MemoryLink,
    /// When the module is initialised.
    pub init: Init,
    /// The entry points; where none is named, all.
    pub entries: Vec<Entry>,
    /// Other exports that stayed.
    pub keep: Vec<String>,
    /// The environment that the program saw.
    pub environment: Vec<(String, String)>,
    /// Where random numbers begin, in hexadecimal.
    #[serde(with = "hexadecimal")]
    pub seed: u64,
    /// The version that nodes read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// How many instructions initialising was granted.
    pub steps: u64,
    /// Whether every NaN was given one bit pattern.
    pub canonical: bool,
    /// What the runtime may use beyond the first release of WebAssembly: `bulk-memory`, `sign-extension`, `mutable-globals`.
    pub features: Vec<String>,
}

/// A number as `0x` and hexadecimal digits: not every reader of JSON has integers of 64 bits.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:#x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        u64::from_str_radix(digits, 16).map_err(D::Error::custom)
    }
}

/// What takes a conversion back, in hexadecimal.
mod packed {
    use super::Undo;
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    /// How it may be written.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Packed(String),
        Spelled(Undo),
    }

    pub(super) fn serialize<S: Serializer>(undo: &Option<Undo>, serializer: S) -> Result<S::Ok, S::Error> {
        match undo {
            Some(undo) => {
                serializer.serialize_str(&hex::encode(postcard::to_allocvec(undo).map_err(ser::Error::custom)?))
            }
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Undo>, D::Error> {
        let digits = match Option::<Written>::deserialize(deserializer)? {
            Some(Written::Packed(digits)) => digits,
            Some(Written::Spelled(undo)) => return Ok(Some(undo)),
            None => return Ok(None),
        };
        let bytes = hex::decode(digits).map_err(de::Error::custom)?;
        match postcard::take_from_bytes(&bytes).map_err(de::Error::custom)? {
            (undo, []) => Ok(Some(undo)),
            _ => Err(de::Error::custom("bytes behind what takes the conversion back")),
        }
    }
}

/// What takes a conversion back. All indices are those of the converted module, save where it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Undo {
    /// How many types the original has.
    pub types: u32,
    /// How many functions of its own the original has; those behind them were added.
    pub functions: u32,
    /// The original's imports of the host's allocation.
    pub malloc_imports: Vec<Import>,
    /// The original's imports of the host's freeing.
    pub free_imports: Vec<Import>,
    /// The function that took the place of `malloc`.
    pub malloc: Option<u32>,
    /// The function that took the place of `free`.
    pub free: Option<u32>,
    /// Functions of the original whose place one of those two took.
    pub slots: Vec<Slot>,
    /// Functions that grow a block in place, and the pointer through which `malloc` was called before.
    pub grows: Vec<(u32, Option<Pointer>)>,
    /// Functions that free what has moved, and the pointer through which `free` was called before.
    pub releases: Vec<(u32, Option<Pointer>)>,
    /// Functions that copy what has moved, and the original's function for that.
    pub copies: Vec<(u32, u32)>,
    /// The original's `__heap_base`; none if it was not touched, or did not exist.
    pub heap_base: Option<u32>,
    /// Whether the last global was added to be `__heap_base`.
    pub heap_base_added: bool,
    /// The global that `__heap_base` was exported from before one was added.
    pub heap_base_export: Option<u32>,
    /// The original memory's minimum, in pages.
    pub minimum: u64,
    /// The original memory's maximum, in pages.
    pub maximum: Option<u64>,
}

/// A function of the original whose place another took, because a call of it there takes fewer bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Slot {
    /// The place.
    pub function: u32,
    /// Where the original's function is now; none for one that only passed on to the import.
    #[serde(default)]
    pub moved_to: Option<u32>,
    /// The body of one that only passed on to the import, in hexadecimal; empty where it is `local.get 0`, the call and the end, in
    /// as few bytes as they can have.
    #[serde(default)]
    pub body: String,
}

/// An imported function of the original.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Import {
    /// Its position among all imports.
    pub position: u32,
    /// Its function index.
    pub function: u32,
    /// Its type index.
    #[serde(rename = "type")]
    pub ty: u32,
    /// Its name in the name section, where that is not the field's; empty where it has none.
    #[serde(default)]
    pub name: Option<String>,
    /// The names of its parameters in the name section, by their index; none where the section does not speak of them.
    #[serde(default)]
    pub locals: Option<Vec<(u32, String)>>,
}

/// A call through a table index that is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pointer {
    /// Address of the table index.
    pub address: u32,
    /// Type index of the call.
    #[serde(rename = "type")]
    pub ty: u32,
}

impl Record {
    /// Reads the contents of the section.
    ///
    /// # Errors
    ///
    /// When they are not a JSON object, or `to` is missing or no spec.
    pub fn read(contents: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(contents)
    }

    /// The record of an adaptation that has put no allocator into the module.
    pub(crate) fn adapted(options: &crate::adapt::Options<'_>, adapted: Adapted, original: &Blake2_256) -> Self {
        Self {
            to: options.to,
            converter: env!("CARGO_PKG_VERSION").to_owned(),
            allocator: String::new(),
            allocator_blake2_256: String::new(),
            arena: options.arena,
            in_place: true,
            routines: true,
            original_blake2_256: original.to_string(),
            undo: None,
            adapted: Some(adapted),
        }
    }

    /// The contents of the section.
    pub(crate) fn write(&self) -> Vec<u8> {
        // Numbers, texts and lists of them: writing those to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
