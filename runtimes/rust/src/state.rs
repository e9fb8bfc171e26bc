//! What the ledger keeps: keys, values, accounts, events.

use crate::{
    host,
    types::{AccountId, Hash},
};
use alloc::vec::Vec;
use codec::Encode;

/// Bytes from their hexadecimal digits, two for each; anything else does not compile.
const fn hex<const N: usize>(digits: &str) -> [u8; N] {
    const fn digit(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("a hexadecimal digit"),
        }
    }
    let digits = digits.as_bytes();
    assert!(digits.len() == 2 * N);
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

/// Root of a trie without entries.
const EMPTY_ROOT: Hash = hex("03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314");

const ACCOUNT: [u8; 32] = hex("26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9");
const NUMBER: [u8; 32] = hex("26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac");
const PARENT_HASH: [u8; 32] = hex("26aa394eea5630e07c48ae0c9558cef78a42f33323cb5ced3b44dd825fda9fcc");
const DIGEST: [u8; 32] = hex("26aa394eea5630e07c48ae0c9558cef799e7f93fc6a98f0874fd057f111c4d2d");
const GENESIS_HASH: [u8; 44] =
    hex("26aa394eea5630e07c48ae0c9558cef7a44704b568d21667356a5a050c118746b4def25cfda6ef3a00000000");
const EXTRINSICS_ROOT: [u8; 32] = hex("26aa394eea5630e07c48ae0c9558cef7b06c3320c6ac196d813442e270868d63");
const EXTRINSIC_DATA: [u8; 32] = hex("26aa394eea5630e07c48ae0c9558cef7df1daeb8986837f21cc5d17596bb78d1");
const EVENTS: [u8; 32] = hex("26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7");
const NOW: [u8; 32] = hex("f0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb");
const DID_UPDATE: [u8; 32] = hex("f0c365c3cf59d671eb72da0e7a4113c4bbd108c4899964f707fdaffb82636065");
const TOTAL_ISSUANCE: [u8; 32] = hex("c2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80");
const EXTRINSIC_INDEX: &[u8] = b":extrinsic_index";

/// The value of a key, which has `N` bytes where it is there.
fn fixed<const N: usize>(key: &[u8]) -> Option<[u8; N]> {
    host::get(key, |value| {
        let value = value?;
        Some(value.try_into().unwrap_or_else(|_| host::abort("state: a value has the wrong length")))
    })
}

/// The number of the last block, or of the one that is being made.
pub(crate) fn number() -> u32 {
    fixed(&NUMBER).map_or(0, u32::from_le_bytes)
}

/// The hash of the block before that one.
pub(crate) fn parent_hash() -> Hash {
    fixed(&PARENT_HASH).unwrap_or_default()
}

/// That block's digest, encoded.
pub(crate) fn digest() -> Vec<u8> {
    host::get(&DIGEST, |value| value.unwrap_or(&[0]).to_vec())
}

/// The root of the last block's extrinsics.
pub(crate) fn extrinsics_root() -> Hash {
    fixed(&EXTRINSICS_ROOT).unwrap_or(EMPTY_ROOT)
}

/// The hash of the block 0, which is known from the block 1 on.
pub(crate) fn genesis_hash() -> Hash {
    fixed(&GENESIS_HASH).unwrap_or_default()
}

/// The last block's time, in milliseconds since 1970.
pub(crate) fn now() -> u64 {
    fixed(&NOW).map_or(0, u64::from_le_bytes)
}

/// Whether the block that is being made has its timestamp.
pub(crate) fn has_timestamp() -> bool {
    host::get(&DID_UPDATE, |value| value.is_some())
}

/// How many extrinsics the block that is being made has.
pub(crate) fn extrinsic_index() -> u32 {
    fixed(EXTRINSIC_INDEX).map_or(0, u32::from_le_bytes)
}

/// Begins a block.
pub(crate) fn begin(number: u32, parent_hash: &Hash, digest: &[u8]) {
    host::set(&NUMBER, &number.to_le_bytes());
    host::set(&PARENT_HASH, parent_hash);
    host::set(&DIGEST, digest);
    if number == 1 {
        host::set(&GENESIS_HASH, parent_hash);
    }
    host::clear(&EVENTS);
}

/// Sets the timestamp of the block.
pub(crate) fn set_now(now: u64) {
    host::set(&NOW, &now.to_le_bytes());
    host::set(&DID_UPDATE, &[1]);
}

/// Notes that an extrinsic was applied.
pub(crate) fn applied(extrinsic: &[u8], index: u32) {
    host::append(&EXTRINSIC_DATA, &extrinsic.encode());
    host::set(EXTRINSIC_INDEX, &index.wrapping_add(1).to_le_bytes());
}

/// Ends a block: computes the root of its extrinsics and takes away what is there only while it is made.
pub(crate) fn end() -> Hash {
    let root = host::get(&EXTRINSIC_DATA, |data| host::ordered_root(data.unwrap_or(&[0])));
    host::set(&EXTRINSICS_ROOT, &root);
    host::clear(&DID_UPDATE);
    host::clear(EXTRINSIC_INDEX);
    host::clear(&EXTRINSIC_DATA);
    root
}

/// Sets the sum of all balances.
pub(crate) fn set_total_issuance(total: u128) {
    host::set(&TOTAL_ISSUANCE, &total.to_le_bytes());
}

/// The length of an encoded `AccountInfo`: four numbers of 32 bits, four of 128.
const INFO: usize = 80;

/// An account as it is in the state, or as it would begin.
pub(crate) struct Account {
    key: [u8; 80],
    info: [u8; INFO],
    exists: bool,
}

impl Account {
    /// Reads an account.
    pub(crate) fn load(id: &AccountId) -> Self {
        let mut key = [0; 80];
        key[..32].copy_from_slice(&ACCOUNT);
        key[32..48].copy_from_slice(&host::blake2_128(id));
        key[48..].copy_from_slice(id);
        let found = fixed(&key);
        let info = found.unwrap_or_else(|| {
            let mut info = [0; INFO];
            // One provider, and of the flags the highest bit.
            info[8] = 1;
            info[INFO - 1] = 0x80;
            info
        });
        Account { key, info, exists: found.is_some() }
    }

    /// Writes it.
    pub(crate) fn store(&self) {
        host::set(&self.key, &self.info);
    }

    /// Whether it was there when it was read.
    pub(crate) fn exists(&self) -> bool {
        self.exists
    }

    fn part<const N: usize>(&mut self, at: usize) -> &mut [u8; N] {
        self.info[at..].first_chunk_mut().expect("lies within the account's bytes")
    }

    pub(crate) fn nonce(&mut self) -> u32 {
        u32::from_le_bytes(*self.part(0))
    }

    pub(crate) fn set_nonce(&mut self, nonce: u32) {
        *self.part(0) = nonce.to_le_bytes();
    }

    pub(crate) fn free(&mut self) -> u128 {
        u128::from_le_bytes(*self.part(16))
    }

    pub(crate) fn set_free(&mut self, free: u128) {
        *self.part(16) = free.to_le_bytes();
    }
}

/// What the ledger announces.
#[derive(Encode)]
pub(crate) enum Event<'a> {
    #[codec(index = 0)]
    System(System<'a>),
    #[codec(index = 2)]
    Balances(Balances<'a>),
}

#[derive(Encode)]
pub(crate) enum System<'a> {
    /// Weight in two parts, class (0: normal, 2: mandatory), and whether no fee is paid.
    #[codec(index = 0)]
    ExtrinsicSuccess([u8; 2], u8, bool),
    #[codec(index = 3)]
    NewAccount(&'a AccountId),
}

#[derive(Encode)]
pub(crate) enum Balances<'a> {
    #[codec(index = 0)]
    Endowed(&'a AccountId, u128),
    #[codec(index = 2)]
    Transfer(&'a AccountId, &'a AccountId, u128),
}

/// Announces that an extrinsic was applied.
pub(crate) fn deposit_success(index: u32, class: u8) {
    deposit(index, Event::System(System::ExtrinsicSuccess([0, 0], class, true)));
}

/// Announces something: the phase (applying an extrinsic), the event, and no topics.
pub(crate) fn deposit(index: u32, event: Event<'_>) {
    host::append(&EVENTS, &(0u8, index, event, 0u8).encode());
}
