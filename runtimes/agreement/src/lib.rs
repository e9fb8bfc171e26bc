//! Blocks of the ledger (`runtimes/LEDGER.md`), valid and spoiled in each way, and whether all languages agree on them.
//!
//! | module | what |
//! | --- | --- |
//! | [`chain`] | the ledger's types, in Polkadot SDK's encoding |
//! | [`metadata`] | the metadata, made from them |
//! | [`model`] | the ledger on a map: what every call has to answer |
//! | [`keys`] | accounts that can sign |
//! | [`languages`] | the ledgers under test |

pub mod chain;
pub mod interview;
pub mod keys;
pub mod languages;
pub mod metadata;
pub mod model;
pub mod question;
pub mod scene;
pub mod spoiled;
