//! Transactions: some that work, some that fail when they are executed, some that no block takes.

use crate::{chain::Chain, runtime::Generation};
use frame_runtime::{
    Runtime, RuntimeCall, UNIT,
    types::{AccountId, Address, SignedPayload, TxExtension, UncheckedExtrinsic},
};
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use sp_core::{Encode, H256, Pair, sr25519};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{ApplyExtrinsicResult, MultiSignature, generic::Era};
use std::collections::BTreeMap;

/// What has to become of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is executed and does what it says.
    Succeeds,
    /// It is executed, fails, and pays for that.
    Fails,
    /// It is not taken into the block.
    Refused,
}

impl Fate {
    /// Whether a runtime said that.
    pub fn is(self, result: &ApplyExtrinsicResult) -> bool {
        match self {
            Fate::Succeeds => matches!(result, Ok(Ok(()))),
            Fate::Fails => matches!(result, Ok(Err(_))),
            Fate::Refused => result.is_err(),
        }
    }
}

/// The accounts that make transactions, and how many each has made.
#[derive(Clone)]
pub struct Traffic {
    people: Vec<sr25519::Pair>,
    nonces: BTreeMap<usize, u32>,
    /// How many notes each keeps and the number of its next one, as far as this knows.
    notes: BTreeMap<usize, (u32, u32)>,
}

/// Alice, who may do everything.
const ROOT: usize = 0;

impl Default for Traffic {
    fn default() -> Self {
        let people = Sr25519Keyring::well_known().map(|who| who.pair()).collect();
        Traffic { people, nonces: BTreeMap::new(), notes: BTreeMap::new() }
    }
}

impl Traffic {
    fn address(&self, who: usize) -> Address {
        Address::Id(AccountId::from(self.people[who].public()))
    }

    /// Signs a call as an account's next transaction.
    pub fn sign(&mut self, chain: &Chain, who: usize, call: RuntimeCall) -> UncheckedExtrinsic {
        let nonce = self.nonces.entry(who).or_default();
        let signed = signed(&self.people[who], *nonce, chain.generation, chain.genesis, call);
        *nonce += 1;
        signed
    }

    /// A call by the account that may do everything.
    pub fn sudo(&mut self, chain: &Chain, call: RuntimeCall) -> UncheckedExtrinsic {
        let call = Box::new(call);
        let weight = Default::default();
        self.sign(chain, ROOT, RuntimeCall::Sudo(pallet_sudo::Call::sudo_unchecked_weight { call, weight }))
    }

    /// A transfer that works.
    pub fn transfer(&mut self, chain: &Chain, random: &mut ChaCha20Rng) -> UncheckedExtrinsic {
        let from = random.gen_range(0..self.people.len());
        // To somebody who is there, or to an account that is made by it.
        let dest = if random.gen_bool(0.7) {
            self.address(random.gen_range(0..self.people.len()))
        } else {
            Address::Id(AccountId::new(random.r#gen()))
        };
        let value = UNIT / 100 * random.gen_range(1..100);
        self.sign(chain, from, RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value }))
    }

    /// A call that writes many notes, or erases all of them where there are many.
    pub fn many_notes(&mut self, chain: &Chain, random: &mut ChaCha20Rng) -> UncheckedExtrinsic {
        let who = random.gen_range(0..self.people.len());
        let (kept, next) = self.notes.entry(who).or_default();
        let call = if *kept > 200 {
            *kept = 0;
            pallet_notes::Call::erase_all {}
        } else {
            let count = random.gen_range(5..20_u32);
            *kept += count;
            *next += count;
            let notes = (0..count).map(|_| vec![random.r#gen(); random.gen_range(0..=1_024)]).collect();
            pallet_notes::Call::write_many { notes }
        };
        self.sign(chain, who, RuntimeCall::Notes(call))
    }

    /// Any transaction, and what has to become of it.
    pub fn any(&mut self, chain: &Chain, random: &mut ChaCha20Rng) -> (UncheckedExtrinsic, Fate) {
        let who = random.gen_range(0..self.people.len());
        let text = |random: &mut ChaCha20Rng| vec![b'n'; random.gen_range(0..=1_024)];
        match random.gen_range(0..13) {
            0..=3 => (self.transfer(chain, random), Fate::Succeeds),
            4 => (self.many_notes(chain, random), Fate::Succeeds),
            5 => {
                let (kept, next) = self.notes.entry(who).or_default();
                *kept += 1;
                *next += 1;
                let call = pallet_notes::Call::write { note: text(random) };
                (self.sign(chain, who, RuntimeCall::Notes(call)), Fate::Succeeds)
            }
            6 => {
                // The youngest note is there as long as any are.
                let (kept, next) = self.notes.get(&who).copied().unwrap_or_default();
                let call = pallet_notes::Call::change { number: next.wrapping_sub(1), note: text(random) };
                let fate = if kept > 0 { Fate::Succeeds } else { Fate::Fails };
                (self.sign(chain, who, RuntimeCall::Notes(call)), fate)
            }
            7 => {
                let note = vec![0; 1_025];
                (self.sign(chain, who, RuntimeCall::Notes(pallet_notes::Call::write { note })), Fate::Fails)
            }
            8 => {
                let (dest, value) = (self.address(ROOT), u128::MAX / 2);
                let call = pallet_balances::Call::transfer_allow_death { dest, value };
                (self.sign(chain, who, RuntimeCall::Balances(call)), Fate::Fails)
            }
            9 => {
                let (who, new_free) = (Address::Id(AccountId::new(random.r#gen())), UNIT * random.gen_range(1..1_000));
                let call = RuntimeCall::Balances(pallet_balances::Call::force_set_balance { who, new_free });
                (self.sudo(chain, call), Fate::Succeeds)
            }
            10 => {
                let who = random.gen_range(1..self.people.len());
                let call = Box::new(RuntimeCall::System(frame_system::Call::remark { remark: text(random) }));
                (self.sign(chain, who, RuntimeCall::Sudo(pallet_sudo::Call::sudo { call })), Fate::Fails)
            }
            _ => (self.refused(chain, random), Fate::Refused),
        }
    }

    /// A transaction that no block takes.
    fn refused(&mut self, chain: &Chain, random: &mut ChaCha20Rng) -> UncheckedExtrinsic {
        let who = random.gen_range(0..self.people.len());
        let nonce = self.nonces.get(&who).copied().unwrap_or_default();
        let call = RuntimeCall::System(frame_system::Call::remark_with_event { remark: vec![1, 2, 3] });
        let pair = &self.people[who];
        let sign = |nonce, generation, genesis| signed(pair, nonce, generation, genesis, call.clone());
        match random.gen_range(0..6) {
            0 => sign(nonce.wrapping_sub(1), chain.generation, chain.genesis),
            1 => sign(nonce, chain.generation, H256::repeat_byte(1)),
            2 => {
                let other = if chain.generation == Generation::First { Generation::Next } else { Generation::First };
                sign(nonce, other, chain.genesis)
            }
            3 => {
                let mut signed = sign(nonce, chain.generation, chain.genesis);
                signed.function = RuntimeCall::System(frame_system::Call::remark_with_event { remark: vec![1, 2, 4] });
                signed
            }
            // Nobody signed it, and it is no inherent.
            4 => UncheckedExtrinsic::new_bare(call),
            _ => {
                let pauper = sr25519::Pair::from_seed(&random.r#gen());
                signed(&pauper, 0, chain.generation, chain.genesis, call)
            }
        }
    }
}

fn signed(
    pair: &sr25519::Pair,
    nonce: u32,
    generation: Generation,
    genesis: H256,
    call: RuntimeCall,
) -> UncheckedExtrinsic {
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::<Runtime>::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
    );
    let implicit = ((), generation.spec_version(), 1, genesis, genesis, (), (), ());
    let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
    let signature = payload.using_encoded(|bytes| pair.sign(bytes));
    let address = Address::Id(AccountId::from(pair.public()));
    UncheckedExtrinsic::new_signed(call, address, MultiSignature::Sr25519(signature), extension)
}
