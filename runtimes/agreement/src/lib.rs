//! Blocks of the ledger (`runtimes/LEDGER.md`), valid and spoiled in each way, and whether all languages agree on them.
//!
//! Everything that is asked is a [`question`](question::Question): a call on a state, and what has to come of it. What that is, says the
//! [`model`], which is made of Polkadot SDK's own types and tries, and knows nothing of WebAssembly.
//!
//! ```
//! use ledger_agreement::{question::{Answer, Expected}, session::Session};
//!
//! let mut refused = 0;
//! let session = Session { blocks: 5, spoiled: 3, seed: 1, around_every: 20 };
//! session.run(|question| {
//!     refused += u32::from(matches!(question.expected, Expected::Exactly(Answer::Refused(_))));
//!     Ok::<(), ()>(())
//! })?;
//! assert!(refused > 30);
//! # Ok::<(), ()>(())
//! ```
//!
//! | module | what |
//! | --- | --- |
//! | [`session`] | all questions, in their order |
//! | [`interview`] | the questions about a block, about making it, and around it |
//! | [`spoiled`] | everything that can be wrong with a block, by its name |
//! | [`scene`] | a chain that goes on from block to block |
//! | [`model`] | the ledger on a map |
//! | [`chain`], [`metadata`] | its types, and the metadata that is made from them |
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
pub mod session;
pub mod spoiled;
