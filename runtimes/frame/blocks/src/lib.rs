//! Blocks of the template runtime: authored through `BlockBuilder` and executed under every heap, on any number of executors.
//!
//! All of them have to make the same headers of the same transactions, say the same of each transaction, come to the same state,
//! events included, and refuse the same blocks for the same reason. In the middle of the chain its runtime is upgraded to one with
//! another heap, and later back.
//!
//! ```no_run
//! use frame_blocks::{Heap, Host, Scenario, heapbase};
//!
//! let host = heapbase(Default::default());
//! let summary = Scenario { blocks: 10, transactions: 8, seed: 1 }.run(&[(&host, Heap::Legacy), (&host, Heap::V1)])?;
//! println!("{} transactions", summary.applied);
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod chain;
pub mod host;
pub mod runtime;
pub mod scenario;
pub mod spoiled;
pub mod traffic;

pub use host::{Host, heapbase};
pub use runtime::{Generation, Heap};
pub use scenario::{Scenario, Summary};
