//! The allocator specs: who owns the heap, and how the two sides hand buffers over.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who owns a runtime's heap.
///
/// The first two are told from the exports, by the one rule that every host applies before it looks at anything else:
/// an exported *function* named `v1` makes it [`V1`](Self::V1), everything else is [`Legacy`](Self::Legacy).
/// [`Local`](Self::Local) is built so that a host cannot see it: it is a legacy module to every node. Only a module
/// that carries a [`record`](crate::record) of its conversion is reported as `local`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Spec {
    /// The host owns the heap; the runtime calls `ext_allocator_malloc_version_1` and `ext_allocator_free_version_1`.
    Legacy,
    /// The runtime owns the heap and exports its allocator (RFC-0061).
    V1,
    /// The runtime allocates in an arena of its own below `__heap_base`; the host serves only what host functions return.
    Local,
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy",
            Self::V1 => "v1",
            Self::Local => "local",
        })
    }
}
