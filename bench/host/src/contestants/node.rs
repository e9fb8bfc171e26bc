//! A `CodeExecutor`, driven the way a node drives it.

use crate::state::PreparedCase;
use bench_common::{Block, Contestant, material::Runtime};
use sp_core::{
    Blake2Hasher,
    traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_state_machine::{BasicExternalities, OverlayedChanges, StateMachine};
use std::collections::{HashMap, hash_map::Entry};

/// Any executor that a node could take.
pub struct Node<E> {
    executor: E,
    states: HashMap<[u8; 32], PreparedCase>,
}

impl<E: CodeExecutor> Node<E> {
    /// Puts `executor` under test.
    pub fn new(executor: E) -> Self {
        Self { executor, states: HashMap::new() }
    }
}

impl<E: CodeExecutor> Contestant for Node<E> {
    fn call(&mut self, runtime: &Runtime, entry: &str, input: &[u8]) -> Result<Vec<u8>, String> {
        call(&self.executor, runtime, entry, input)
    }

    fn block(&mut self, block: &Block) -> Result<[u8; 32], String> {
        let state = match self.states.entry(block.parent_state_root) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(PreparedCase::new(&block.case).map_err(|error| error.to_string())?),
        };
        execute_block(&self.executor, state, &block.runtime)
    }
}

/// Calls `entry` on an empty state.
///
/// # Errors
/// What the executor says about the failure.
pub fn call<E: CodeExecutor>(executor: &E, runtime: &Runtime, entry: &str, input: &[u8]) -> Result<Vec<u8>, String> {
    let fetcher = WrappedRuntimeCode(runtime.code.as_slice().into());
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: runtime.hash.to_vec() };
    let mut state = BasicExternalities::default();
    executor.call(&mut state, &code, entry, input, CallContext::Offchain).0.map_err(|error| error.to_string())
}

/// Executes the block by `runtime` with a fresh overlay, as an import does, and returns the root of the state after.
///
/// # Errors
/// What the executor or the state machine says about the failure.
pub fn execute_block<E: CodeExecutor>(
    executor: &E,
    case: &PreparedCase,
    runtime: &Runtime,
) -> Result<[u8; 32], String> {
    let mut overlay = OverlayedChanges::<Blake2Hasher>::default();
    execute(executor, case, runtime, &mut overlay)?;
    overlay.drain_storage_changes(&case.backend, case.state_version).map(|changes| changes.transaction_storage_root.0)
}

/// Executes the block by `runtime` and leaves its changes in `overlay`.
///
/// # Errors
/// What the executor or the state machine says about the failure.
pub fn execute<E: CodeExecutor>(
    executor: &E,
    case: &PreparedCase,
    runtime: &Runtime,
    overlay: &mut OverlayedChanges<Blake2Hasher>,
) -> Result<(), String> {
    let fetcher = WrappedRuntimeCode(runtime.code.as_slice().into());
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: case.heap_pages, hash: runtime.hash.to_vec() };
    let mut extensions = Extensions::default();
    StateMachine::new(
        &case.backend,
        overlay,
        executor,
        &case.entry,
        &case.input,
        &mut extensions,
        &code,
        CallContext::Onchain { import: true },
    )
    .execute()
    .map(drop)
    .map_err(|error| error.to_string())
}
