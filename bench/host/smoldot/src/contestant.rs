//! smoldot, as a light client drives it: the state is a proof that holds the whole trie.

use bench_common::{Block, Contestant, material::Runtime};
use smoldot::{
    executor::{
        self,
        host::{self, HostVmPrototype},
        runtime_call::{self, OffchainContext, RuntimeCall, TrieEntryVersion},
        vm::{ExecHint, HeapPages},
    },
    trie::proof_decode::{self, DecodedTrieProof},
};
use std::collections::HashMap;

/// How smoldot executes code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmoldotEngine {
    /// Compiled by wasmtime.
    Wasmtime,
    /// Interpreted by wasmi, validated lazily.
    Wasmi,
}

/// smoldot in the comparison.
pub struct Smoldot {
    engine: SmoldotEngine,
    prototypes: HashMap<[u8; 32], HostVmPrototype>,
    states: HashMap<[u8; 32], State>,
}

/// The state of a case, in the form that smoldot asks about it.
struct State {
    root: [u8; 32],
    proof: DecodedTrieProof<Vec<u8>>,
}

impl Smoldot {
    /// smoldot with `engine`.
    pub fn new(engine: SmoldotEngine) -> Self {
        Self { engine, prototypes: HashMap::new(), states: HashMap::new() }
    }

    fn prototype(&mut self, runtime: &Runtime, heap_pages: HeapPages) -> Result<HostVmPrototype, String> {
        match self.prototypes.remove(&runtime.hash) {
            Some(prototype) => Ok(prototype),
            None => HostVmPrototype::new(host::Config {
                module: &runtime.code,
                heap_pages,
                exec_hint: match self.engine {
                    SmoldotEngine::Wasmtime => ExecHint::ValidateAndCompile,
                    SmoldotEngine::Wasmi => ExecHint::ForceWasmi { lazy_validation: true },
                },
                allow_unresolved_imports: true,
            })
            .map_err(|error| error.to_string()),
        }
    }
}

impl Contestant for Smoldot {
    fn call(&mut self, runtime: &Runtime, entry: &str, input: &[u8]) -> Result<Vec<u8>, String> {
        let prototype = self.prototype(runtime, executor::DEFAULT_HEAP_PAGES)?;
        let (result, prototype) = run(prototype, entry, input, None, false);
        // Making the instance of the next call is part of this one, as it is for the others.
        self.prototypes.insert(runtime.hash, prototype);
        result
    }

    fn block(&mut self, block: &Block) -> Result<[u8; 32], String> {
        let heap_pages = match block.case.heap_pages() {
            Some(pages) => HeapPages::new(u32::try_from(pages).map_err(|error| error.to_string())?),
            None => executor::DEFAULT_HEAP_PAGES,
        };
        let prototype = self.prototype(&block.runtime, heap_pages)?;
        if !self.states.contains_key(&block.parent_state_root) {
            let proof = std::fs::read(&block.proof).map_err(|error| error.to_string())?;
            let proof = proof_decode::decode_and_verify_proof(proof_decode::Config { proof })
                .map_err(|error| error.to_string())?;
            let root = block.parent_state_root;
            self.states.insert(root, State { root, proof });
        }
        let state = self.states.get(&block.parent_state_root);
        let (result, prototype) = run(prototype, &block.case.entry, &block.case.input, state, true);
        self.prototypes.insert(block.runtime.hash, prototype);
        // `Core_execute_block` compares the root it computed with the header's and panics when they
        // differ; smoldot's interface shows no root of its own.
        result.map(|_| block.case.expected_state_root)
    }
}

/// Drives one call to its end. Without a state every key is absent.
fn run(
    virtual_machine: HostVmPrototype,
    entry: &str,
    input: &[u8],
    state: Option<&State>,
    calculate_trie_changes: bool,
) -> (Result<Vec<u8>, String>, HostVmPrototype) {
    let mut call = match runtime_call::run(runtime_call::Config {
        virtual_machine,
        function_to_call: entry,
        parameter: std::iter::once(input),
        storage_main_trie_changes: Default::default(),
        storage_proof_size_behavior: host::StorageProofSizeBehavior::proof_recording_disabled(),
        max_log_level: 0,
        calculate_trie_changes,
    }) {
        Ok(call) => call,
        Err((error, prototype)) => return (Err(error.to_string()), prototype),
    };
    loop {
        call = match step(call, state) {
            Step::Go(next) => next,
            Step::Done(Ok(success)) => {
                let output = success.virtual_machine.value().as_ref().to_vec();
                return (Ok(output), success.virtual_machine.into_prototype());
            }
            Step::Done(Err(error)) => return (Err(error.detail.to_string()), error.prototype),
            Step::Stuck(what, call) => return (Err(what), call.into_prototype()),
        };
    }
}

enum Step {
    Go(RuntimeCall),
    Done(Result<runtime_call::Success, runtime_call::Error>),
    Stuck(String, RuntimeCall),
}

/// Answers one question of the call.
fn step(call: RuntimeCall, state: Option<&State>) -> Step {
    Step::Go(match call {
        RuntimeCall::Finished(result) => return Step::Done(result),
        RuntimeCall::SignatureVerification(request) => request.verify_and_resume(),
        RuntimeCall::LogEmit(request) => request.resume(),
        RuntimeCall::OffchainStorageSet(request) => request.resume(),
        RuntimeCall::Offchain(OffchainContext::StorageGet(request)) => request.inject_value(None::<&[u8]>),
        call @ RuntimeCall::Offchain(_) => {
            return Step::Stuck("the runtime asks for an offchain worker's context".into(), call);
        }
        RuntimeCall::StorageGet(request) => {
            let trie = trie_root(state, request.child_trie().as_ref().map(AsRef::as_ref));
            let found = trie.map(|(proof, root)| proof.storage_value(&root, request.key().as_ref()));
            match found.transpose() {
                Ok(value) => {
                    request.inject_value(value.flatten().map(|(value, version)| (std::iter::once(value), version)))
                }
                Err(error) => {
                    return Step::Stuck(error.to_string(), RuntimeCall::StorageGet(request));
                }
            }
        }
        RuntimeCall::NextKey(request) => {
            let trie = trie_root(state, request.child_trie().as_ref().map(AsRef::as_ref));
            let found = trie.map(|(proof, root)| {
                proof.next_key(&root, request.key(), request.or_equal(), request.prefix(), request.branch_nodes())
            });
            match found.transpose() {
                Ok(key) => request.inject_key(key.flatten()),
                Err(error) => return Step::Stuck(error.to_string(), RuntimeCall::NextKey(request)),
            }
        }
        RuntimeCall::ClosestDescendantMerkleValue(request) => {
            let trie = trie_root(state, request.child_trie().as_ref().map(AsRef::as_ref));
            let found = trie.map(|(proof, root)| proof.closest_descendant_merkle_value(&root, request.key()));
            match found {
                Some(Ok(value)) => request.inject_merkle_value(value),
                Some(Err(_)) | None => request.resume_unknown(),
            }
        }
    })
}

/// The proof, and the root in it of the main trie or of a child trie; `None` where that trie is empty.
fn trie_root<'a>(state: Option<&'a State>, child: Option<&[u8]>) -> Option<(&'a DecodedTrieProof<Vec<u8>>, [u8; 32])> {
    let State { root, proof } = state?;
    let Some(child) = child else { return Some((proof, *root)) };
    let key = [b":child_storage:default:", child].concat();
    let (value, TrieEntryVersion::V0 | TrieEntryVersion::V1) = proof.storage_value(root, &key).ok()??;
    Some((proof, value.try_into().ok()?))
}
