//! The custom section in which a rewritten module says what was done to it.
//!
//! The section is named [`SECTION`] and holds one JSON object in UTF-8. The key `to` names the allocator spec that the
//! module was rewritten to; whoever writes the section adds what is needed to repeat the rewriting. A reader takes the
//! keys it knows and leaves the rest.
//!
//! ```
//! use heapbase_module::{Spec, record::Record};
//!
//! let record = Record::read(br#"{"to": "local", "allocator": "classes"}"#).unwrap();
//! assert_eq!(record.to, Spec::Local);
//! ```

use crate::Spec;
use serde::Deserialize;

/// The name of the custom section.
pub const SECTION: &str = "heapbase";

/// What a rewritten module says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The allocator spec that the module was rewritten to.
    pub to: Spec,
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
}
