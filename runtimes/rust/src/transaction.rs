//! Checking and applying an extrinsic.

use crate::{
    host,
    state::{self, Account, Balances, Event, System},
    types::{AccountId, Call, Extrinsic, Hash, Signature, Signed},
    version::{SPEC_VERSION, TRANSACTION_VERSION},
};
use alloc::{vec, vec::Vec};
use codec::Encode;

/// What an account that exists holds at least.
pub(crate) const EXISTENTIAL_DEPOSIT: u128 = 1_000;

/// Why an extrinsic is refused: in words, and as clients know it (`TransactionValidityError`).
pub(crate) struct Refusal {
    pub(crate) reason: &'static str,
    error: [u8; 2],
}

impl Refusal {
    const fn new(reason: &'static str, error: [u8; 2]) -> Self {
        Refusal { reason, error }
    }

    /// As the error of a `Result`.
    pub(crate) fn encoded(&self) -> Vec<u8> {
        vec![1, self.error[0], self.error[1]]
    }
}

const UNKNOWN: u8 = 1;
const INVALID: u8 = 0;
const NO_UNSIGNED_VALIDATOR: [u8; 2] = [UNKNOWN, 1];
const CALL: [u8; 2] = [INVALID, 0];
const PAYMENT: [u8; 2] = [INVALID, 1];
const FUTURE: [u8; 2] = [INVALID, 2];
const STALE: [u8; 2] = [INVALID, 3];
const BAD_PROOF: [u8; 2] = [INVALID, 4];
const ANCIENT_BIRTH_BLOCK: [u8; 2] = [INVALID, 5];
const BAD_MANDATORY: [u8; 2] = [INVALID, 8];
const MANDATORY_VALIDATION: [u8; 2] = [INVALID, 9];

fn ensure(holds: bool, reason: &'static str, error: [u8; 2]) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::new(reason, error)) }
}

/// A transfer that has passed all checks but that on the order of nonces.
struct Transfer<'a> {
    from: &'a AccountId,
    to: &'a AccountId,
    value: u128,
    nonce: u32,
    sender: Account,
    /// Nobody where the sender pays itself.
    recipient: Option<Account>,
}

/// Where a transaction with a nonce that is too high stands.
#[derive(PartialEq)]
enum Future {
    /// It must not be in a block yet.
    Refused,
    /// It may wait.
    Allowed,
}

/// Applies an extrinsic as the one with this index, or leaves the state as it is.
pub(crate) fn apply(extrinsic: &Extrinsic<'_>, index: u32) -> Result<(), Refusal> {
    match (&extrinsic.signed, &extrinsic.call) {
        (None, Call::Timestamp(now)) => {
            ensure(!state::has_timestamp(), "the timestamp is set twice", BAD_MANDATORY)?;
            ensure(index == 0, "the timestamp is not the first extrinsic", BAD_MANDATORY)?;
            ensure(*now > state::now(), "the timestamp is not later than the last", BAD_MANDATORY)?;
            state::set_now(*now);
            state::deposit_success(index, 2);
        }
        (None, Call::Transfer { .. }) => return Err(bare_transfer()),
        (Some(signed), _) => {
            check(signed, extrinsic, state::genesis_hash, Future::Refused)?.apply(index);
            state::deposit_success(index, 0);
        }
    }
    state::applied(extrinsic.encoded, index);
    Ok(())
}

/// Whether an extrinsic may wait for its block: `ValidTransaction` as the success of a `Result`.
pub(crate) fn validate(extrinsic: &Extrinsic<'_>, block_hash: Hash) -> Result<Vec<u8>, Refusal> {
    let signed = match (&extrinsic.signed, &extrinsic.call) {
        (None, Call::Timestamp(_)) => {
            return Err(Refusal::new("a block's author sets the timestamp", MANDATORY_VALIDATION));
        }
        (None, Call::Transfer { .. }) => return Err(bare_transfer()),
        (Some(signed), _) => signed,
    };
    // On the state of the block 0, that block's hash is not in the state yet.
    let genesis_hash = || if state::number() == 0 { block_hash } else { state::genesis_hash() };
    let mut transfer = check(signed, extrinsic, genesis_hash, Future::Allowed)?;
    let tag = |nonce: u32| (transfer.from, nonce).encode();
    let requires = if transfer.nonce > transfer.sender.nonce() { vec![tag(transfer.nonce - 1)] } else { vec![] };
    let provides = vec![tag(transfer.nonce)];
    let (priority, longevity, propagate) = (0u64, u64::MAX, true);
    Ok((0u8, priority, requires, provides, longevity, propagate).encode())
}

fn bare_transfer() -> Refusal {
    Refusal::new("a transfer must be signed", NO_UNSIGNED_VALIDATOR)
}

/// Everything that a signed extrinsic has to fulfil; writes nothing.
fn check<'a>(
    signed: &Signed<'a>,
    extrinsic: &Extrinsic<'a>,
    genesis_hash: impl FnOnce() -> Hash,
    future: Future,
) -> Result<Transfer<'a>, Refusal> {
    let Call::Transfer { to, value } = extrinsic.call else {
        return Err(Refusal::new("the timestamp must not be signed", CALL));
    };
    ensure(!signed.mortal, "the era is mortal", ANCIENT_BIRTH_BLOCK)?;
    ensure(signed.tip == 0, "the tip is not zero", PAYMENT)?;
    ensure(verify(signed, extrinsic.call_encoded, &genesis_hash()), "the signature is wrong", BAD_PROOF)?;

    let mut sender = Account::load(signed.from);
    let nonce = signed.nonce;
    ensure(nonce >= sender.nonce() && nonce < u32::MAX, "the nonce is used", STALE)?;
    ensure(nonce == sender.nonce() || future == Future::Allowed, "the nonce is too high", FUTURE)?;

    ensure(value <= sender.free(), "the balance is too low", PAYMENT)?;
    let recipient = if to == signed.from {
        None
    } else {
        let left = sender.free() - value;
        ensure(left >= EXISTENTIAL_DEPOSIT, "the sender would fall below the existential deposit", PAYMENT)?;
        let mut recipient = Account::load(to);
        let sum = recipient.free().checked_add(value);
        let sum = sum.ok_or(Refusal::new("the recipient's balance would overflow", PAYMENT))?;
        ensure(sum >= EXISTENTIAL_DEPOSIT, "the recipient would stay below the existential deposit", PAYMENT)?;
        sender.set_free(left);
        recipient.set_free(sum);
        Some(recipient)
    };
    Ok(Transfer { from: signed.from, to, value, nonce, sender, recipient })
}

/// Whether the host finds the signature right.
fn verify(signed: &Signed<'_>, call: &[u8], genesis_hash: &Hash) -> bool {
    let mut payload = Vec::with_capacity(256);
    payload.extend_from_slice(call);
    payload.extend_from_slice(signed.extra);
    (SPEC_VERSION, TRANSACTION_VERSION, genesis_hash, genesis_hash).encode_to(&mut payload);
    match signed.signature {
        Signature::Ed25519(signature) => host::ed25519_verify(signature, &payload, signed.from),
        Signature::Sr25519(signature) => host::sr25519_verify(signature, &payload, signed.from),
    }
}

impl Transfer<'_> {
    fn apply(mut self, index: u32) {
        // Below the highest nonce, as was checked.
        self.sender.set_nonce(self.nonce + 1);
        self.sender.store();
        if let Some(recipient) = self.recipient {
            recipient.store();
            if !recipient.exists() {
                state::deposit(index, Event::System(System::NewAccount(self.to)));
                state::deposit(index, Event::Balances(Balances::Endowed(self.to, self.value)));
            }
        }
        state::deposit(index, Event::Balances(Balances::Transfer(self.from, self.to, self.value)));
    }
}
