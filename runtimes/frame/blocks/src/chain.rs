//! A chain: its state, its last header, and how blocks come to it.

use crate::{
    host::Host,
    runtime::{Code, Generation, Heap},
};
use anyhow::{Context, Result, anyhow, bail};
use codec::{Decode, DecodeAll, Encode};
use frame_runtime::{
    SLOT_DURATION,
    types::{Header, UncheckedExtrinsic},
};
use heapbase_host::Executor;
use sp_core::{
    Blake2Hasher, H256,
    storage::{StateVersion, Storage, well_known_keys::CODE},
    traits::ReadRuntimeVersionExt,
};
use sp_externalities::Extensions;
use sp_inherents::InherentData;
use sp_runtime::{ApplyExtrinsicResult, Digest, DigestItem, traits::Header as _};
use sp_state_machine::{Backend, Ext, InMemoryBackend, OverlayedChanges};
use std::sync::LazyLock;

/// The state between two blocks.
pub type State = InMemoryBackend<Blake2Hasher>;

/// Tells runtimes the version of the code that they are to become.
static VERSIONS: LazyLock<Executor> = LazyLock::new(Executor::default);

/// A host with the code of a runtime.
pub struct Contestant<'a> {
    /// Who executes.
    pub host: &'a Host,
    /// Whose heap it is.
    pub heap: Heap,
    /// The runtime.
    pub code: Code,
}

impl Contestant<'_> {
    /// Who it is, in words.
    pub fn name(&self) -> String {
        format!("{}, {}", self.host.name, self.heap)
    }

    /// Calls an entry point on what was changed of a state so far.
    fn call(
        &self,
        state: &State,
        overlay: &mut OverlayedChanges<Blake2Hasher>,
        entry: &str,
        input: &[u8],
    ) -> Result<Vec<u8>, String> {
        let mut extensions = Extensions::default();
        extensions.register(ReadRuntimeVersionExt::new(VERSIONS.clone()));
        let mut ext = Ext::new(overlay, state, Some(&mut extensions));
        self.host.call(&mut ext, &self.code, entry, input)
    }
}

/// A block that was made, and what was said of each transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Authored {
    /// Its header.
    pub header: Header,
    /// What is in it.
    pub extrinsics: Vec<UncheckedExtrinsic>,
    /// What became of each transaction that was offered.
    pub results: Vec<ApplyExtrinsicResult>,
}

impl Authored {
    /// The block's bytes.
    pub fn encode(&self) -> Vec<u8> {
        (&self.header, &self.extrinsics).encode()
    }
}

/// A chain.
pub struct Chain {
    /// The state after the last block.
    pub state: State,
    /// The last header.
    pub parent: Header,
    /// The hash of the first header.
    pub genesis: H256,
    /// The version of its runtime.
    pub generation: Generation,
}

fn decode<T: Decode>(what: &str, bytes: &[u8]) -> Result<T> {
    T::decode_all(&mut &bytes[..]).with_context(|| format!("what {what} returned"))
}

impl Chain {
    /// A chain whose state a runtime makes of its development preset, with itself as code.
    ///
    /// # Errors
    ///
    /// The runtime refuses its own preset.
    pub fn development(runtime: &Contestant<'_>) -> Result<Self> {
        let nothing = State::from((Storage::default(), StateVersion::V1));
        let mut overlay = OverlayedChanges::default();
        let mut ask = |entry: &str, input: Vec<u8>| {
            runtime.call(&nothing, &mut overlay, entry, &input).map_err(|reason| anyhow!("{entry}: {reason}"))
        };
        let mut preset = |name: Option<&str>| -> Result<serde_json::Value> {
            let entry = "GenesisBuilder_get_preset";
            let json: Option<Vec<u8>> = decode(entry, &ask(entry, name.encode())?)?;
            Ok(serde_json::from_slice(&json.with_context(|| format!("no preset {name:?}"))?)?)
        };
        let mut config = preset(None)?;
        json_patch::merge(&mut config, &preset(Some("development"))?);
        let built = ask("GenesisBuilder_build_state", serde_json::to_vec(&config)?.encode())?;
        decode::<Result<(), String>>("GenesisBuilder_build_state", &built)?.map_err(anyhow::Error::msg)?;
        overlay.set_storage(CODE.to_vec(), Some(runtime.code.wasm.clone()));
        let mut chain = Chain {
            state: nothing,
            parent: Header::new(0, H256::zero(), H256::zero(), H256::zero(), Digest::default()),
            genesis: H256::zero(),
            generation: Generation::First,
        };
        chain.commit(&mut overlay)?;
        chain.parent.set_state_root(*chain.state.root());
        chain.genesis = chain.parent.hash();
        Ok(chain)
    }

    fn commit(&mut self, overlay: &mut OverlayedChanges<Blake2Hasher>) -> Result<()> {
        let changes = overlay.drain_storage_changes(&self.state, StateVersion::V1).map_err(anyhow::Error::msg)?;
        self.state.apply_transaction(changes.transaction_storage_root, changes.transaction);
        Ok(())
    }

    /// Makes a block of as many of the transactions as the runtime takes.
    ///
    /// # Errors
    ///
    /// The runtime ends, or what it returns does not decode.
    pub fn author(&self, author: &Contestant<'_>, transactions: &[UncheckedExtrinsic]) -> Result<Authored> {
        let mut overlay = OverlayedChanges::default();
        let call = |overlay: &mut OverlayedChanges<Blake2Hasher>, entry: &str, input: Vec<u8>| {
            let answer = author.call(&self.state, overlay, entry, &input);
            answer.map_err(|reason| anyhow!("{}: {entry}: {reason}", author.name()))
        };
        let number = self.parent.number + 1;
        let slot = u64::from(number);
        let digest = Digest { logs: vec![DigestItem::PreRuntime(*b"aura", slot.encode())] };
        let header = Header::new(number, H256::zero(), H256::zero(), self.parent.hash(), digest);
        call(&mut overlay, "Core_initialize_block", header.encode())?;

        let mut data = InherentData::new();
        data.put_data(*b"timstap0", &(slot * SLOT_DURATION))?;
        let inherents = call(&mut overlay, "BlockBuilder_inherent_extrinsics", data.encode())?;
        let inherents: Vec<UncheckedExtrinsic> = decode("BlockBuilder_inherent_extrinsics", &inherents)?;
        let (mut extrinsics, mut results) = (Vec::new(), Vec::new());
        for extrinsic in inherents.iter().chain(transactions) {
            let entry = "BlockBuilder_apply_extrinsic";
            // What is refused leaves nothing behind.
            overlay.start_transaction();
            let result: ApplyExtrinsicResult = decode(entry, &call(&mut overlay, entry, extrinsic.encode())?)?;
            let ended = if result.is_ok() { overlay.commit_transaction() } else { overlay.rollback_transaction() };
            ended.map_err(|error| anyhow!("{error:?}"))?;
            if result.is_ok() {
                extrinsics.push(extrinsic.clone());
            }
            results.push(result);
        }
        let header = call(&mut overlay, "BlockBuilder_finalize_block", Vec::new())?;
        Ok(Authored { header: decode("BlockBuilder_finalize_block", &header)?, extrinsics, results })
    }

    fn run(&self, executor: &Contestant<'_>, block: &[u8]) -> Result<OverlayedChanges<Blake2Hasher>, String> {
        let mut overlay = OverlayedChanges::default();
        let output = executor.call(&self.state, &mut overlay, "Core_execute_block", block)?;
        if !output.is_empty() {
            return Err(format!("it returned {} bytes", output.len()));
        }
        Ok(overlay)
    }

    /// Executes a block and says what the state's root would be.
    ///
    /// # Errors
    ///
    /// Why the runtime refuses it.
    pub fn execute(&self, executor: &Contestant<'_>, block: &[u8]) -> Result<H256, String> {
        Ok(self.run(executor, block)?.storage_root(&self.state, StateVersion::V1).0)
    }

    /// Executes a block and goes on from there.
    ///
    /// # Errors
    ///
    /// The runtime refuses it, or the state has another root than the header.
    pub fn import(&mut self, executor: &Contestant<'_>, block: &Authored) -> Result<()> {
        let number = block.header.number;
        let executed = self.run(executor, &block.encode());
        let mut overlay = executed.map_err(|reason| anyhow!("block {number}: {}: {reason}", executor.name()))?;
        self.commit(&mut overlay)?;
        if *self.state.root() != block.header.state_root {
            bail!(
                "block {number}: {}: the root is {:?}, the header says {:?}",
                executor.name(),
                self.state.root(),
                block.header.state_root
            );
        }
        self.parent = block.header.clone();
        Ok(())
    }

    /// The runtime that the state holds.
    ///
    /// # Panics
    ///
    /// The state holds none.
    pub fn code(&self) -> Vec<u8> {
        self.state.storage(CODE).expect("states in memory are readable").expect("a chain has a runtime")
    }
}
