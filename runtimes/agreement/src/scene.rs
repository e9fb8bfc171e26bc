//! A chain that goes on from block to block, by a seed.

use crate::{
    chain::{self, EXISTENTIAL_DEPOSIT, Extra, Extrinsic, Header, RuntimeCall, SPEC_VERSION},
    keys::Key,
    model::{Ledger, extrinsics_root, payload},
};
use codec::{Compact, Encode};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use sp_core::H256;
use sp_runtime::{AccountId32, Digest, DigestItem, MultiAddress, generic::Era};
use std::{collections::BTreeMap, rc::Rc};

/// How many keys have a balance in the first state.
const FOUNDERS: u32 = 48;
/// How many there are: the others are made accounts by transfers to them.
const KEYS: u32 = 96;

/// What the next block is made from.
pub struct Scene {
    /// Of everything that is chosen.
    pub random: ChaCha8Rng,
    /// The keys: the first have an account from the beginning.
    pub keys: Rc<Vec<Key>>,
    /// The ledger after the last block.
    pub ledger: Ledger,
    /// The hash that signatures commit to.
    pub genesis_hash: H256,
}

/// A block that is right.
#[derive(Clone)]
pub struct Draft {
    /// With roots and parent.
    pub header: Header,
    /// The first is the timestamp.
    pub extrinsics: Vec<Extrinsic>,
}

impl Draft {
    /// The block as `Core_execute_block` takes it.
    pub fn encode(&self) -> Vec<u8> {
        (&self.header, &self.extrinsics).encode()
    }
}

/// What a transaction says; [`Scene::sign`] signs it.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The call.
    pub call: RuntimeCall,
    /// Era, nonce, tip.
    pub extra: Extra,
    /// The spec version that the signature commits to.
    pub spec_version: u32,
    /// The genesis hash that the signature commits to.
    pub genesis_hash: H256,
}

impl Scene {
    /// The first state by a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let keys: Vec<Key> = (0..KEYS).map(Key::new).collect();
        let balances: BTreeMap<AccountId32, u128> = keys[..FOUNDERS as usize]
            .iter()
            .map(|key| (key.id.clone(), EXISTENTIAL_DEPOSIT + below_bits(&mut random, 120)))
            .collect();
        let ledger = Ledger::genesis(&balances);
        let genesis_hash = ledger.genesis_hash().expect("the model has written it");
        Scene { random, keys: Rc::new(keys), ledger, genesis_hash }
    }

    /// The account of a key, as the ledger has it now.
    fn account(ledger: &Ledger, id: &AccountId32) -> chain::system::AccountInfo {
        ledger.account(id).expect("the model has written it")
    }

    /// A transaction as it should be.
    pub fn transaction(&self, from: &Key, ledger: &Ledger, to: AccountId32, value: u128) -> Transaction {
        let nonce = Self::account(ledger, &from.id).nonce;
        Transaction {
            call: chain::transfer(to, value),
            extra: Extra { era: Era::Immortal, nonce: Compact(nonce), tip: Compact(0) },
            spec_version: SPEC_VERSION,
            genesis_hash: self.genesis_hash,
        }
    }

    /// Signs a transaction.
    pub fn sign(&self, from: &Key, transaction: Transaction) -> Extrinsic {
        let Transaction { call, extra, spec_version, genesis_hash } = transaction;
        let signature = from.sign(&payload(&call, &extra, spec_version, genesis_hash));
        Extrinsic::new_signed(call, MultiAddress::Id(from.id.clone()), signature, extra)
    }

    /// A transfer that the ledger accepts; nothing where the sender it hits on cannot make one.
    pub fn transfer(&mut self, ledger: &Ledger) -> Option<Extrinsic> {
        let keys = Rc::clone(&self.keys);
        let from = keys.choose(&mut self.random)?;
        let to = match self.random.gen_range(0..10) {
            0 => from,
            _ => keys.choose(&mut self.random)?,
        };
        let free = Self::account(ledger, &from.id).data.free;
        let least = if Self::account(ledger, &to.id).data.free == 0 { EXISTENTIAL_DEPOSIT } else { 0 };
        // To oneself all of it, to others all but the deposit; now and then exactly so.
        let most = if to.id == from.id { free } else { free.checked_sub(EXISTENTIAL_DEPOSIT)? };
        if most < least {
            return None;
        }
        let value = match self.random.gen_range(0..40) {
            0 => most,
            1 => least,
            _ => below_bits(&mut self.random, 128).clamp(least, most.max(least)).min(most),
        };
        Some(self.sign(from, self.transaction(from, ledger, to.id.clone(), value)))
    }

    /// A block with the timestamp and so many transfers; fewer where hardly anyone can pay.
    pub fn draft(&mut self, transfers: usize) -> Draft {
        let mut ledger = self.ledger.clone();
        let last = ledger.now().expect("the model has written it");
        let now = last + 1 + below_bits(&mut self.random, 40) as u64;
        let header = Header {
            parent_hash: ledger.last_hash().expect("the model has written it"),
            number: ledger.number().expect("the model has written it") + 1,
            state_root: H256::zero(),
            extrinsics_root: H256::zero(),
            digest: self.digest(),
        };
        ledger.initialise(&header).expect("the header is made for it");
        let mut extrinsics = vec![Extrinsic::new_bare_legacy(chain::set_timestamp(now))];
        ledger.apply(&extrinsics[0]).expect("is later than the last");
        for _ in 0..10 * transfers {
            if extrinsics.len() > transfers {
                break;
            }
            if let Some(extrinsic) = self.transfer(&ledger) {
                ledger.apply(&extrinsic).expect("is made to be accepted");
                extrinsics.push(extrinsic);
            }
        }
        let header = ledger.finalise().expect("has its timestamp");
        Draft { header, extrinsics }
    }

    /// Gives a header the roots of its block as far as they can be told: those of the extrinsics, whether they are right
    /// or not.
    pub fn seal(draft: &mut Draft) {
        let encoded: Vec<Vec<u8>> = draft.extrinsics.iter().map(Encode::encode).collect();
        draft.header.extrinsics_root = extrinsics_root(&encoded);
    }

    fn digest(&mut self) -> Digest {
        let mut bytes = vec![0; self.random.gen_range(0..100)];
        self.random.fill(&mut bytes[..]);
        let logs = match self.random.gen_range(0..8) {
            0 => vec![DigestItem::PreRuntime(*b"aura", bytes)],
            1 => vec![DigestItem::Consensus(*b"FRNK", bytes.clone()), DigestItem::Other(bytes)],
            2 => vec![DigestItem::RuntimeEnvironmentUpdated, DigestItem::Seal(*b"BABE", bytes)],
            _ => vec![],
        };
        Digest { logs }
    }

    /// Goes on to the state after a block.
    pub fn follow(&mut self, draft: &Draft) {
        self.ledger = self.ledger.execute(&draft.header, &draft.extrinsics).expect("the draft is right");
    }
}

/// A number of any size up to so many bits, each size as likely as the other.
pub fn below_bits(random: &mut impl Rng, bits: u32) -> u128 {
    let bits = random.gen_range(0..=bits);
    random.r#gen::<u128>().checked_shr(128 - bits).unwrap_or(0)
}
