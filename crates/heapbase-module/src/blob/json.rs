//! `:code` out of JSON, without building the tree: a raw chain specification is tens of megabytes of other keys.

use super::Source;
use crate::Error;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The storage key of the runtime: `:code`.
const CODE_KEY: &str = "0x3a636f6465";

/// What kind of JSON document was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonShape {
    /// A raw chain specification: it has `genesis.raw.top`.
    RawChainSpec,
    /// A chain specification that is not raw: it has `genesis`, and neither `raw` nor `runtimeGenesis.code` in it.
    PlainChainSpec,
    /// Raw storage, as in a case: it has `top`.
    Storage,
    /// None of these.
    Other,
}

impl JsonShape {
    /// What to do about a document of this shape that holds no runtime.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::RawChainSpec => "its `genesis.raw.top` has no key 0x3a636f6465 (`:code`)",
            Self::PlainChainSpec => {
                "make it raw first, with the node's `build-spec --raw` or `export-chain-spec --raw`"
            }
            Self::Storage => "its `top` has no key 0x3a636f6465 (`:code`)",
            Self::Other => "it has neither `genesis.raw.top` (a raw chain specification) nor `top` (a case)",
        }
    }
}

impl fmt::Display for JsonShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RawChainSpec => "the raw chain specification",
            Self::PlainChainSpec => "the chain specification",
            Self::Storage => "the JSON storage",
            Self::Other => "the JSON document",
        })
    }
}

/// Whether `bytes` begin as a JSON object does, behind white space and a byte order mark.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    without_mark(bytes).trim_ascii_start().first() == Some(&b'{')
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The value of `:code`, and where it was.
pub(super) fn code(bytes: &[u8]) -> Result<(Source, Vec<u8>), Error> {
    let document: Document = serde_json::from_slice(without_mark(bytes)).map_err(Error::Json)?;
    let (shape, source, code) = match document {
        Document { top: Some(Top(code)), .. } => (JsonShape::Storage, Source::Storage, code),
        Document { genesis: Some(Genesis { raw: Some(Raw { top: Top(code) }), .. }), .. } => {
            (JsonShape::RawChainSpec, Source::RawChainSpec, code)
        }
        Document { genesis: Some(Genesis { runtime_genesis, .. }), .. } => {
            (JsonShape::PlainChainSpec, Source::PlainChainSpec, runtime_genesis.and_then(|genesis| genesis.code))
        }
        Document { .. } => (JsonShape::Other, Source::File, None),
    };
    let code = code.ok_or(Error::NoCode { shape })?;
    let digits = code.strip_prefix("0x").unwrap_or(&code);
    Ok((source, hex::decode(digits).map_err(Error::Hex)?))
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    top: Option<Top>,
    #[serde(default)]
    genesis: Option<Genesis>,
}

#[derive(Deserialize)]
struct Genesis {
    #[serde(default)]
    raw: Option<Raw>,
    #[serde(default, rename = "runtimeGenesis")]
    runtime_genesis: Option<RuntimeGenesis>,
}

#[derive(Deserialize)]
struct Raw {
    top: Top,
}

#[derive(Deserialize)]
struct RuntimeGenesis {
    #[serde(default)]
    code: Option<String>,
}

/// Raw storage, of which only the value of `:code` is kept.
struct Top(Option<String>);

/// A storage key: the one that is looked for, or any other.
enum Key {
    Code,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a storage key in hexadecimal")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(if key.eq_ignore_ascii_case(CODE_KEY) { Key::Code } else { Key::Other })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

impl<'de> Deserialize<'de> for Top {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TopVisitor;
        impl<'de> Visitor<'de> for TopVisitor {
            type Value = Top;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from storage keys to values, in hexadecimal")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top, A::Error> {
                let mut code = None;
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Other => drop(map.next_value::<IgnoredAny>()?),
                        Key::Code if code.is_some() => {
                            return Err(A::Error::custom("two values for `:code`"));
                        }
                        Key::Code => code = Some(map.next_value()?),
                    }
                }
                Ok(Top(code))
            }
        }
        deserializer.deserialize_map(TopVisitor)
    }
}
