//! A chain's life: blocks of all kinds of transactions, and two upgrades.

use crate::{
    chain::{Authored, Chain, Contestant},
    host::Host,
    runtime::{Code, Generation, Heap},
    spoiled::Spoil,
    traffic::{Fate, Traffic},
};
use anyhow::{Context, Result, bail, ensure};
use frame_runtime::RuntimeCall;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

/// How long a chain lives, and what it is made from.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Blocks; in the middle of them the runtime is upgraded, and later back.
    pub blocks: u32,
    /// Transactions that a block is offered, at most.
    pub transactions: usize,
    /// What everything is chosen by.
    pub seed: u64,
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Transactions that succeeded.
    pub applied: usize,
    /// Transactions that failed when they were executed.
    pub failed: usize,
    /// Transactions that no block took.
    pub refused: usize,
    /// Calls of `Core_execute_block`, of blocks that are right.
    pub executed: usize,
    /// How often each way to spoil a block was refused by everyone.
    pub spoiled: BTreeMap<Spoil, usize>,
    /// The numbers of the blocks that upgraded the runtime.
    pub upgrades: Vec<u32>,
}

/// One of every so many blocks is also spoiled.
const SPOILED_EVERY: u32 = 5;

impl Scenario {
    /// Lets a chain live, and asks everyone for the same.
    ///
    /// The first is the one whose blocks are imported; its heap is what the chain begins with.
    ///
    /// # Errors
    ///
    /// Somebody does not agree: who, which block, and what.
    pub fn run(self, who: &[(&Host, Heap)]) -> Result<Summary> {
        let load = |generation| -> Result<Vec<Contestant<'_>>> {
            who.iter().map(|&(host, heap)| Ok(Contestant { host, heap, code: Code::read(heap, generation)? })).collect()
        };
        let first = load(Generation::First)?;
        let next = load(Generation::Next)?;
        let mut chain = Chain::development(first.first().context("nobody was asked")?)?;
        let mut random = ChaCha20Rng::seed_from_u64(self.seed);
        let mut traffic = Traffic::default();
        let mut summary = Summary::default();

        for number in 1..=self.blocks {
            let contestants = if chain.generation == Generation::First { &first } else { &next };
            let mut offered = Vec::new();
            for _ in 0..random.gen_range(0..=self.transactions) {
                offered.push(traffic.any(&chain, &mut random));
            }
            let upgrade = self.upgrade(number);
            if let Some((heap, generation)) = upgrade {
                let code = Code::read(heap, generation)?.wasm;
                // A version that is not higher takes a call that does not ask for it.
                let call = match generation {
                    Generation::Next => frame_system::Call::set_code { code },
                    Generation::First => frame_system::Call::set_code_without_checks { code },
                };
                offered.push((traffic.sudo(&chain, RuntimeCall::System(call)), Fate::Succeeds));
            }

            let block = together(&chain, contestants, &offered)?;
            for ((_, fate), result) in offered.iter().zip(block.results.iter().skip(1)) {
                ensure!(fate.is(result), "block {number}: a transaction that {fate:?}: {result:?}");
                match fate {
                    Fate::Succeeds => summary.applied += 1,
                    Fate::Fails => summary.failed += 1,
                    Fate::Refused => summary.refused += 1,
                }
            }
            if number % SPOILED_EVERY == 0 {
                let spoil = Spoil::ALL[(number / SPOILED_EVERY) as usize % Spoil::ALL.len()];
                if let Some(bytes) = spoil.make(&block) {
                    refused(&chain, contestants, &block, spoil, &bytes)?;
                    *summary.spoiled.entry(spoil).or_default() += 1;
                }
            }
            // The first one's is the one that is imported.
            let (importer, others) = contestants.split_first().context("nobody was asked")?;
            for contestant in others {
                let root = chain.execute(contestant, &block.encode());
                ensure!(
                    root.as_ref() == Ok(&block.header.state_root),
                    "block {number}: {}: {root:?}, the header says {:?}",
                    contestant.name(),
                    block.header.state_root
                );
            }
            chain.import(importer, &block)?;
            summary.executed += contestants.len();
            if let Some((heap, generation)) = upgrade {
                ensure!(chain.code() == Code::read(heap, generation)?.wasm, "block {number}: the code is as it was");
                chain.generation = generation;
                summary.upgrades.push(number);
            }
        }
        Ok(summary)
    }

    /// What the runtime becomes in a block: in the middle another heap's, later the host's again.
    fn upgrade(self, number: u32) -> Option<(Heap, Generation)> {
        match number {
            _ if number == self.blocks.div_ceil(3) => Some((Heap::V1, Generation::Next)),
            _ if number == (self.blocks * 2).div_ceil(3) => Some((Heap::Legacy, Generation::First)),
            _ => None,
        }
    }
}

/// Everybody makes the block, and all make the same.
fn together(
    chain: &Chain,
    contestants: &[Contestant<'_>],
    offered: &[(frame_runtime::types::UncheckedExtrinsic, Fate)],
) -> Result<Authored> {
    let transactions: Vec<_> = offered.iter().map(|(transaction, _)| transaction.clone()).collect();
    let mut made: Option<(String, Authored)> = None;
    for contestant in contestants {
        let block = chain.author(contestant, &transactions)?;
        match &made {
            None => made = Some((contestant.name(), block)),
            Some((first, other)) if *other != block => bail!(
                "block {}: {first} makes {:?} and says {:?}; {} makes {:?} and says {:?}",
                other.header.number,
                other.header,
                other.results,
                contestant.name(),
                block.header,
                block.results
            ),
            Some(_) => {}
        }
    }
    Ok(made.context("nobody was asked")?.1)
}

/// Nobody executes the block, and all that run on the same host say the same: some hosts read a panic's message out of the log.
fn refused(chain: &Chain, contestants: &[Contestant<'_>], block: &Authored, spoil: Spoil, bytes: &[u8]) -> Result<()> {
    let mut reasons = BTreeMap::<&str, (String, String)>::new();
    let number = block.header.number;
    for contestant in contestants {
        let name = contestant.name();
        let Err(why) = chain.execute(contestant, bytes) else {
            bail!("block {number}, {spoil:?}: {name} executes it");
        };
        let (first, other) = reasons.entry(&contestant.host.name).or_insert_with(|| (name.clone(), why.clone()));
        ensure!(why == *other, "block {number}, {spoil:?}: {first} says {other:?}, {name} says {why:?}");
    }
    Ok(())
}
