//! The version of a runtime, in the custom sections from which nodes read it without executing anything.
//!
//! A file names it in JSON:
//!
//! ```json
//! {
//!   "spec_name": "ledger",
//!   "impl_name": "ledger-go",
//!   "authoring_version": 1,
//!   "spec_version": 1,
//!   "impl_version": 1,
//!   "transaction_version": 1,
//!   "system_version": 1,
//!   "apis": { "Core": 5, "BlockBuilder": 6, "0xd2bc9897eed08f15": 3 }
//! }
//! ```
//!
//! APIs are named by their trait, or by their identifier, 8 bytes. `runtime_version` gets the version in SCALE without its APIs,
//! `runtime_apis` the APIs, twelve bytes each.

use super::error::AdaptError;
use codec::Encode;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};
use sp_version::RuntimeVersion;
use std::fmt;

/// The version of a runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Version {
    /// The chain's rules this is a version of.
    pub spec_name: String,
    /// Who wrote this implementation.
    pub impl_name: String,
    /// Version of the interface for block authors.
    #[serde(default)]
    pub authoring_version: u32,
    /// Version of the rules.
    pub spec_version: u32,
    /// Version of the implementation.
    #[serde(default)]
    pub impl_version: u32,
    /// Version of the transaction format.
    #[serde(default = "one")]
    pub transaction_version: u32,
    /// Version of the storage layout, once named state version.
    #[serde(default = "first", alias = "state_version")]
    pub system_version: u8,
    /// Versions of the APIs, by the names of their traits or their identifiers in hexadecimal.
    #[serde(deserialize_with = "each_once")]
    pub apis: serde_json::Map<String, serde_json::Value>,
}

/// An object none of whose keys comes twice: the last one would win without a word.
fn each_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<serde_json::Map<String, serde_json::Value>, D::Error> {
    struct Keys;

    impl<'de> Visitor<'de> for Keys {
        type Value = serde_json::Map<String, serde_json::Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with the versions of the APIs by their names")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = serde_json::Map::new();
            while let Some((name, version)) = entries.next_entry::<String, _>()? {
                if map.contains_key(&name) {
                    return Err(A::Error::custom(format_args!("the API `{}` is listed twice", name.escape_debug())));
                }
                map.insert(name, version);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Keys)
}

fn one() -> u32 {
    1
}

fn first() -> u8 {
    1
}

/// The API that every runtime has; its version says how many fields the runtime's version has.
const CORE: &str = "Core";
/// The first version of it under which the runtime's version has all fields.
const CORE_COMPLETE: u32 = 4;

impl Version {
    /// Reads the JSON.
    ///
    /// # Errors
    ///
    /// [`AdaptError::Version`] says which key is missing, unknown or of another kind.
    pub fn read(json: &[u8]) -> Result<Self, AdaptError> {
        let version: Self = serde_json::from_slice(json).map_err(|error| AdaptError::Version(error.to_string()))?;
        version.sections()?;
        Ok(version)
    }

    /// The contents of `runtime_version` and of `runtime_apis`.
    pub(super) fn sections(&self) -> Result<(Vec<u8>, Vec<u8>), AdaptError> {
        let mut apis = Vec::new();
        let mut core = None;
        for (name, version) in &self.apis {
            let wrong = |what: &str| AdaptError::Version(format!("the API `{}` {what}", name.escape_debug()));
            let version = version.as_u64().and_then(|version| u32::try_from(version).ok());
            let version = version.ok_or_else(|| wrong("has no number for a version"))?;
            let id = match name.strip_prefix("0x") {
                Some(digits) => hex::decode(digits)
                    .ok()
                    .and_then(|id| <[u8; 8]>::try_from(id).ok())
                    .ok_or_else(|| wrong("is no identifier of 8 bytes"))?,
                None => sp_crypto_hashing::blake2_64(name.as_bytes()),
            };
            if apis.iter().any(|(other, _)| *other == id) {
                return Err(wrong("is listed twice"));
            }
            if id == sp_crypto_hashing::blake2_64(CORE.as_bytes()) {
                core = Some(version);
            }
            apis.push((id, version));
        }
        if core.is_none_or(|core| core < CORE_COMPLETE) {
            return Err(AdaptError::Version(format!(
                "`apis` does not list `{CORE}` with version {CORE_COMPLETE} or later; from that, nodes know which fields the \
                 version has"
            )));
        }
        let version = RuntimeVersion {
            spec_name: self.spec_name.clone().into(),
            impl_name: self.impl_name.clone().into(),
            authoring_version: self.authoring_version,
            spec_version: self.spec_version,
            impl_version: self.impl_version,
            apis: Vec::new().into(),
            transaction_version: self.transaction_version,
            system_version: self.system_version,
        };
        let listed = apis.iter().flat_map(|(id, version)| id.iter().copied().chain(version.to_le_bytes())).collect();
        Ok((version.encode(), listed))
    }
}
