//! The ledger once more: as a model on a map, with the types of Polkadot SDK and its tries, and no host.
//!
//! It says what every call has to answer, so that no runtime is compared with itself alone.

use crate::chain::{
    self, EXISTENTIAL_DEPOSIT, Extra, Extrinsic, Header, RuntimeCall, RuntimeEvent, SPEC_VERSION, TRANSACTION_VERSION,
    balances,
    system::{self, AccountInfo, DispatchClass, DispatchInfo, EventRecord, Pays, Phase},
};
use codec::{Compact, Decode, Encode};
use sp_core::{H256, Pair, storage::StateVersion};
use sp_crypto_hashing as hashing;
use sp_runtime::{
    AccountId32, MultiAddress, MultiSignature,
    generic::Era,
    traits::{BlakeTwo256, Hash},
    transaction_validity::{
        InvalidTransaction, TransactionValidity, TransactionValidityError, UnknownTransaction, ValidTransaction,
    },
};
use sp_trie::{LayoutV0, LayoutV1, TrieConfiguration};
use sp_version::RuntimeVersion;
use std::collections::BTreeMap;

/// The root of a trie without entries.
pub const EMPTY_ROOT: [u8; 32] = [
    0x03, 0x17, 0x0a, 0x2e, 0x75, 0x97, 0xb7, 0xb7, 0xe3, 0xd8, 0x4c, 0x05, 0x39, 0x1d, 0x13, 0x9a, 0x62, 0xb1, 0x57,
    0xe7, 0x87, 0x86, 0xd8, 0xc0, 0x82, 0xf2, 0x9d, 0xcf, 0x4c, 0x11, 0x13, 0x14,
];

const INDEX: &[u8] = b":extrinsic_index";

/// Keys and values.
pub type Storage = BTreeMap<Vec<u8>, Vec<u8>>;

/// How a call ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The call ends with this message.
    Abort(String),
    /// An extrinsic is refused.
    Refused(&'static str, TransactionValidityError),
}

impl Stop {
    /// What a block's execution says of the extrinsic with this index.
    pub fn at(self, index: usize) -> String {
        match self {
            Stop::Abort(message) => message,
            Stop::Refused(reason, _) => format!("extrinsic {index}: {reason}"),
        }
    }
}

fn refused<T>(reason: &'static str, error: impl Into<TransactionValidityError>) -> Result<T, Stop> {
    Err(Stop::Refused(reason, error.into()))
}

fn ensure(holds: bool, reason: &'static str, error: InvalidTransaction) -> Result<(), Stop> {
    if holds { Ok(()) } else { refused(reason, error) }
}

fn abort<T>(message: &str) -> Result<T, Stop> {
    Err(Stop::Abort(message.into()))
}

/// The runtime's version.
pub fn version() -> RuntimeVersion {
    let api = |name: &str, version| (sp_crypto_hashing::blake2_64(name.as_bytes()), version);
    RuntimeVersion {
        spec_name: "ledger".into(),
        impl_name: "heapbase-ledger".into(),
        authoring_version: 1,
        spec_version: SPEC_VERSION,
        impl_version: 0,
        apis: vec![
            api("Core", 5),
            api("Metadata", 2),
            api("BlockBuilder", 6),
            api("TaggedTransactionQueue", 3),
            api("AccountNonceApi", 1),
            api("GenesisBuilder", 1),
        ]
        .into(),
        transaction_version: TRANSACTION_VERSION,
        system_version: 1,
    }
}

/// The key of a value.
pub fn key(pallet: &str, item: &str) -> Vec<u8> {
    [hashing::twox_128(pallet.as_bytes()), hashing::twox_128(item.as_bytes())].concat()
}

/// The key of an account.
pub fn account_key(id: &AccountId32) -> Vec<u8> {
    let id: &[u8] = id.as_ref();
    [&key("System", "Account")[..], &hashing::blake2_128(id), id].concat()
}

fn genesis_hash_key() -> Vec<u8> {
    let number = 0u32.to_le_bytes();
    [&key("System", "BlockHash")[..], &hashing::twox_64(&number), &number].concat()
}

/// What is signed.
pub fn payload(call: &RuntimeCall, extra: &Extra, spec_version: u32, genesis_hash: H256) -> Vec<u8> {
    (call, extra, spec_version, TRANSACTION_VERSION, genesis_hash, genesis_hash).encode()
}

/// The root of a block's extrinsics, each encoded with its length.
pub fn extrinsics_root(extrinsics: &[Vec<u8>]) -> H256 {
    LayoutV0::<BlakeTwo256>::ordered_trie_root(extrinsics)
}

/// The ledger on its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The state.
    pub storage: Storage,
}

impl Ledger {
    /// The ledger at its first state.
    pub fn genesis(accounts: &BTreeMap<AccountId32, u128>) -> Self {
        let mut ledger = Ledger::default();
        for (id, free) in accounts {
            ledger.set_account(id, &AccountInfo::new(*free));
        }
        ledger.set(key("Balances", "TotalIssuance"), accounts.values().sum::<u128>().encode());
        ledger
    }

    /// The root of the state.
    pub fn root(&self) -> H256 {
        LayoutV1::<BlakeTwo256>::trie_root(self.storage.clone())
    }

    /// Keys and values in the form that hosts take.
    pub fn state(&self) -> heapbase_host::State {
        let storage = sp_core::storage::Storage { top: self.storage.clone(), ..Default::default() };
        heapbase_host::State::new(storage, StateVersion::V1)
    }

    fn set(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.storage.insert(key, value);
    }

    fn get<T: Decode>(&self, key: &[u8]) -> Result<Option<T>, Stop> {
        let Some(value) = self.storage.get(key) else { return Ok(None) };
        match codec::DecodeAll::decode_all(&mut &value[..]) {
            Ok(value) => Ok(Some(value)),
            Err(_) => abort("state: a value has the wrong length"),
        }
    }

    fn append(&mut self, key: Vec<u8>, element: Vec<u8>) {
        let value = self.storage.entry(key).or_default();
        let mut rest = &value[..];
        let count = Compact::<u32>::decode(&mut rest).map_or(0, |count| count.0);
        *value = [Compact(count + 1).encode(), rest.to_vec(), element].concat();
    }

    /// An account; one with nothing where it is not there.
    ///
    /// # Errors
    /// Its value has another length.
    pub fn account(&self, id: &AccountId32) -> Result<AccountInfo, Stop> {
        Ok(self.get(&account_key(id))?.unwrap_or(AccountInfo::new(0)))
    }

    /// Writes an account.
    pub fn set_account(&mut self, id: &AccountId32, account: &AccountInfo) {
        self.set(account_key(id), account.encode());
    }

    /// The number of the last block.
    ///
    /// # Errors
    /// Its value has another length.
    pub fn number(&self) -> Result<u32, Stop> {
        Ok(self.get(&key("System", "Number"))?.unwrap_or(0))
    }

    /// The last block's time.
    ///
    /// # Errors
    /// Its value has another length.
    pub fn now(&self) -> Result<u64, Stop> {
        Ok(self.get(&key("Timestamp", "Now"))?.unwrap_or(0))
    }

    /// The genesis block's hash, as the next block finds it.
    ///
    /// # Errors
    /// A value has another length.
    pub fn genesis_hash(&self) -> Result<H256, Stop> {
        match self.number()? {
            0 => self.last_hash(),
            _ => Ok(self.get(&genesis_hash_key())?.unwrap_or_default()),
        }
    }

    /// The hash of the last block.
    ///
    /// # Errors
    /// A value has another length.
    pub fn last_hash(&self) -> Result<H256, Stop> {
        let header = (
            self.get::<H256>(&key("System", "ParentHash"))?.unwrap_or_default(),
            Compact(self.number()?),
            self.root(),
            self.get::<H256>(&key("System", "ExtrinsicsRoot"))?.unwrap_or(H256(EMPTY_ROOT)),
        );
        let digest = self.storage.get(&key("System", "Digest")).map_or(&[0][..], |digest| digest);
        Ok(BlakeTwo256::hash(&[&header.encode()[..], digest].concat()))
    }

    /// Begins a block.
    ///
    /// # Errors
    /// The call ends.
    pub fn initialise(&mut self, header: &Header) -> Result<(), Stop> {
        if self.number()?.checked_add(1) != Some(header.number) {
            return abort("block: the number does not follow the parent's");
        }
        if self.last_hash()? != header.parent_hash {
            return abort("block: the parent is another block");
        }
        self.set(key("System", "Number"), header.number.encode());
        self.set(key("System", "ParentHash"), header.parent_hash.encode());
        self.set(key("System", "Digest"), header.digest.encode());
        if header.number == 1 {
            self.set(genesis_hash_key(), header.parent_hash.encode());
        }
        self.storage.remove(&key("System", "Events"));
        Ok(())
    }

    fn deposit(&mut self, index: u32, event: RuntimeEvent) {
        let record = EventRecord { phase: Phase::ApplyExtrinsic(index), event, topics: vec![] };
        self.append(key("System", "Events"), record.encode());
    }

    /// Applies an extrinsic, or leaves the state as it is.
    ///
    /// # Errors
    /// It is refused, or the call ends.
    pub fn apply(&mut self, extrinsic: &Extrinsic) -> Result<(), Stop> {
        let index: u32 = self.get(INDEX)?.unwrap_or(0);
        let class = match (signed(extrinsic), &extrinsic.function) {
            (None, RuntimeCall::Timestamp(chain::timestamp::Call::set { now })) => {
                let did_update = key("Timestamp", "DidUpdate");
                let bad = InvalidTransaction::BadMandatory;
                ensure(!self.storage.contains_key(&did_update), "the timestamp is set twice", bad)?;
                ensure(index == 0, "the timestamp is not the first extrinsic", bad)?;
                ensure(*now > self.now()?, "the timestamp is not later than the last", bad)?;
                self.set(key("Timestamp", "Now"), now.encode());
                self.set(did_update, true.encode());
                DispatchClass::Mandatory
            }
            (None, _) => return refused("a transfer must be signed", UnknownTransaction::NoUnsignedValidator),
            (Some(_), _) => {
                let genesis_hash = self.get(&genesis_hash_key())?.unwrap_or_default();
                let transfer = self.check(extrinsic, genesis_hash, false)?;
                self.transfer(index, transfer)?;
                DispatchClass::Normal
            }
        };
        let dispatch_info = DispatchInfo { weight: Default::default(), class, pays_fee: Pays::No };
        self.deposit(index, RuntimeEvent::System(system::Event::ExtrinsicSuccess { dispatch_info }));
        self.append(key("System", "ExtrinsicData"), extrinsic.encode().encode());
        self.set(INDEX.into(), index.wrapping_add(1).encode());
        Ok(())
    }

    /// What a transaction's pool is told.
    ///
    /// # Errors
    /// The call ends.
    pub fn validate(&self, extrinsic: &Extrinsic, block_hash: H256) -> Result<TransactionValidity, Stop> {
        if signed(extrinsic).is_none() {
            return Ok(Err(match extrinsic.function {
                RuntimeCall::Timestamp(_) => InvalidTransaction::MandatoryValidation.into(),
                RuntimeCall::Balances(_) => UnknownTransaction::NoUnsignedValidator.into(),
            }));
        }
        let genesis_hash = match self.number()? {
            0 => block_hash,
            _ => self.get(&genesis_hash_key())?.unwrap_or_default(),
        };
        let transfer = match self.check(extrinsic, genesis_hash, true) {
            Ok(transfer) => transfer,
            Err(Stop::Refused(_, error)) => return Ok(Err(error)),
            Err(stop) => return Err(stop),
        };
        let expected = self.account(&transfer.from)?.nonce;
        let tag = |nonce: u32| (&transfer.from, nonce).encode();
        Ok(Ok(ValidTransaction {
            priority: 0,
            requires: if transfer.nonce > expected { vec![tag(transfer.nonce - 1)] } else { vec![] },
            provides: vec![tag(transfer.nonce)],
            longevity: u64::MAX,
            propagate: true,
        }))
    }

    fn check(&self, extrinsic: &Extrinsic, genesis_hash: H256, future: bool) -> Result<Transfer, Stop> {
        use InvalidTransaction::*;
        let RuntimeCall::Balances(balances::Call::transfer_keep_alive { dest: MultiAddress::Id(to), value }) =
            &extrinsic.function
        else {
            return refused("the timestamp must not be signed", Call);
        };
        let (from, _, extra) = signed(extrinsic).expect("was looked at before");
        ensure(extra.era == Era::Immortal, "the era is mortal", AncientBirthBlock)?;
        ensure(extra.tip.0 == 0, "the tip is not zero", Payment)?;
        ensure(is_signed_right(extrinsic, genesis_hash), "the signature is wrong", BadProof)?;

        let sender = self.account(from)?;
        let nonce = extra.nonce.0;
        ensure(nonce >= sender.nonce && nonce < u32::MAX, "the nonce is used", Stale)?;
        ensure(future || nonce == sender.nonce, "the nonce is too high", Future)?;

        ensure(*value <= sender.data.free, "the balance is too low", Payment)?;
        if from != to {
            let left = sender.data.free - value;
            ensure(left >= EXISTENTIAL_DEPOSIT, "the sender would fall below the existential deposit", Payment)?;
            let sum = self.account(to)?.data.free.checked_add(*value);
            ensure(sum.is_some(), "the recipient's balance would overflow", Payment)?;
            let stays = sum >= Some(EXISTENTIAL_DEPOSIT);
            ensure(stays, "the recipient would stay below the existential deposit", Payment)?;
        }
        Ok(Transfer { from: from.clone(), to: to.clone(), value: *value, nonce })
    }

    fn transfer(&mut self, index: u32, transfer: Transfer) -> Result<(), Stop> {
        let Transfer { from, to, value, nonce } = transfer;
        let mut sender = self.account(&from)?;
        sender.nonce = nonce + 1;
        if from != to {
            sender.data.free -= value;
            let exists = self.storage.contains_key(&account_key(&to));
            let mut recipient = self.account(&to)?;
            recipient.data.free += value;
            self.set_account(&to, &recipient);
            if !exists {
                let account = to.clone();
                self.deposit(index, RuntimeEvent::System(system::Event::NewAccount { account: account.clone() }));
                let endowed = balances::Event::Endowed { account, free_balance: value };
                self.deposit(index, RuntimeEvent::Balances(endowed));
            }
        }
        self.set_account(&from, &sender);
        self.deposit(index, RuntimeEvent::Balances(balances::Event::Transfer { from, to, amount: value }));
        Ok(())
    }

    /// Ends a block.
    ///
    /// # Errors
    /// The call ends.
    pub fn finalise(&mut self) -> Result<Header, Stop> {
        if self.storage.remove(&key("Timestamp", "DidUpdate")).is_none() {
            return abort("block: the timestamp is missing");
        }
        self.storage.remove(INDEX);
        let extrinsics = self.storage.remove(&key("System", "ExtrinsicData")).unwrap_or(vec![0]);
        let extrinsics: Vec<Vec<u8>> = Decode::decode(&mut &extrinsics[..]).expect("the model has encoded it");
        let extrinsics_root = extrinsics_root(&extrinsics);
        self.set(key("System", "ExtrinsicsRoot"), extrinsics_root.encode());
        Ok(Header {
            parent_hash: self.get(&key("System", "ParentHash"))?.unwrap_or_default(),
            number: self.number()?,
            state_root: self.root(),
            extrinsics_root,
            digest: self.get(&key("System", "Digest"))?.unwrap_or_default(),
        })
    }

    /// Executes a block: the ledger after it.
    ///
    /// # Errors
    /// The message with which the call ends.
    pub fn execute(&self, header: &Header, extrinsics: &[Extrinsic]) -> Result<Ledger, String> {
        let mut ledger = self.clone();
        ledger.initialise(header).map_err(|stop| stop.at(0))?;
        for (index, extrinsic) in extrinsics.iter().enumerate() {
            ledger.apply(extrinsic).map_err(|stop| stop.at(index))?;
        }
        let made = ledger.finalise().map_err(|stop| stop.at(0))?;
        if made.extrinsics_root != header.extrinsics_root {
            return Err("block: the extrinsics root differs".into());
        }
        if made.state_root != header.state_root {
            return Err("block: the state root differs".into());
        }
        Ok(ledger)
    }
}

/// A transfer that was checked.
struct Transfer {
    from: AccountId32,
    to: AccountId32,
    value: u128,
    nonce: u32,
}

/// Whether an extrinsic's signature is right; a bare one has none that could be wrong.
pub fn is_signed_right(extrinsic: &Extrinsic, genesis_hash: H256) -> bool {
    signed(extrinsic).is_none_or(|(from, signature, extra)| {
        verify(signature, &payload(&extrinsic.function, extra, SPEC_VERSION, genesis_hash), from)
    })
}

/// Whose extrinsic it is, where it is signed.
fn signed(extrinsic: &Extrinsic) -> Option<(&AccountId32, &MultiSignature, &Extra)> {
    match &extrinsic.preamble {
        sp_runtime::generic::Preamble::Signed(MultiAddress::Id(from), signature, extra) => {
            Some((from, signature, extra))
        }
        _ => None,
    }
}

fn verify(signature: &MultiSignature, message: &[u8], from: &AccountId32) -> bool {
    let public: &[u8; 32] = from.as_ref();
    match signature {
        MultiSignature::Ed25519(signature) => {
            sp_core::ed25519::Pair::verify(signature, message, &sp_core::ed25519::Public::from_raw(*public))
        }
        MultiSignature::Sr25519(signature) => {
            sp_core::sr25519::Pair::verify(signature, message, &sp_core::sr25519::Public::from_raw(*public))
        }
        _ => false,
    }
}
