//! A case made ready to run: its state as the trie that `sp_state_machine` reads, and as the proof that smoldot reads.

use anyhow::{Context, Result, bail};
use bench_common::material::{Case, Runtime};
use codec::Encode;
use sp_core::{
    Blake2Hasher,
    storage::{ChildInfo, StateVersion, Storage, StorageChild},
};
use sp_state_machine::InMemoryBackend;
use std::collections::BTreeSet;

/// A case, its state loaded.
pub struct PreparedCase {
    /// The entry point.
    pub entry: String,
    /// Its argument.
    pub input: Vec<u8>,
    /// The runtime in the state.
    pub runtime: Runtime,
    /// `:heappages` of the state.
    pub heap_pages: Option<u64>,
    /// The layout of the trie.
    pub state_version: StateVersion,
    /// The root that the header announces.
    pub expected_state_root: [u8; 32],
    /// The root of the state as loaded.
    pub parent_state_root: [u8; 32],
    /// The state as a trie in memory.
    pub backend: InMemoryBackend<Blake2Hasher>,
}

impl PreparedCase {
    /// Loads the state of `case` and checks its root where the case says it.
    ///
    /// # Errors
    /// The state version is unknown, the state has no `:code`, or the root is another.
    pub fn new(case: &Case) -> Result<Self> {
        let prepared = Self::unchecked(case)?;
        match case.parent_state_root {
            Some(expected) if expected != prepared.parent_state_root => bail!(
                "{}: the state before has root 0x{}, the case says 0x{}",
                case.name,
                hex::encode(prepared.parent_state_root),
                hex::encode(expected),
            ),
            _ => Ok(prepared),
        }
    }

    /// The same without the check: for cases whose state was changed on purpose.
    ///
    /// # Errors
    /// The state version is unknown, or the state has no `:code`.
    pub fn unchecked(case: &Case) -> Result<Self> {
        let state_version = StateVersion::try_from(case.state_version)
            .ok()
            .with_context(|| format!("{}: state version {}", case.name, case.state_version))?;
        let storage = Storage {
            top: case.top.clone(),
            children_default: case
                .children
                .iter()
                .map(|(key, data)| {
                    let child_info = ChildInfo::new_default(key);
                    (key.clone(), StorageChild { data: data.clone(), child_info })
                })
                .collect(),
        };
        let backend = InMemoryBackend::<Blake2Hasher>::from((storage, state_version));
        Ok(Self {
            entry: case.entry.clone(),
            input: case.input.clone(),
            runtime: case.runtime()?,
            heap_pages: case.heap_pages(),
            state_version,
            expected_state_root: case.expected_state_root,
            parent_state_root: backend.root().0,
            backend,
        })
    }

    /// Every node of every trie of the state, SCALE-encoded as a storage proof.
    pub fn full_proof(&self) -> Vec<u8> {
        full_proof(&self.backend)
    }
}

/// Every node of every trie of a state, SCALE-encoded as a storage proof.
pub fn full_proof(backend: &InMemoryBackend<Blake2Hasher>) -> Vec<u8> {
    let nodes: BTreeSet<Vec<u8>> = backend
        .backend_storage()
        .clone()
        .drain()
        .into_values()
        .filter(|(_, references)| *references > 0)
        .map(|(node, _)| node)
        .collect();
    nodes.into_iter().collect::<Vec<_>>().encode()
}
