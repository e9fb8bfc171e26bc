//! Extrinsics that are refused.

use super::named;
use crate::{
    chain::{self, EXISTENTIAL_DEPOSIT, Extrinsic, SPEC_VERSION},
    keys::Key,
    model::Ledger,
    scene::{Scene, Transaction},
};
use codec::Compact;
use rand::{Rng, seq::SliceRandom};
use sp_core::H256;
use sp_runtime::{MultiSignature, generic::Era};
use std::rc::Rc;

named! {
    /// What is wrong with an extrinsic.
    pub enum Fault {
        /// The block's time, a second time.
        TimestampTwice,
        /// A time that an account has signed.
        TimestampSigned,
        /// A transfer that nobody has signed.
        TransferBare,
        /// A bit of the signature.
        SignatureBit,
        /// Another account's signature.
        SignatureOfAnother,
        /// The bytes of one kind of signature, announced as the other.
        SignatureKind,
        /// A signature for another chain.
        SignedForAnotherChain,
        /// A signature for another version of the runtime.
        SignedForAnotherVersion,
        /// The value is another than what was signed.
        ValueChanged,
        /// The nonce is another than what was signed.
        NonceChanged,
        /// A nonce that was used.
        NonceUsed,
        /// The next nonce but one.
        NonceSkipped,
        /// The highest nonce that there is.
        NonceLast,
        /// A mortal era.
        EraMortal,
        /// A tip.
        Tip,
        /// More than there is.
        BalanceLow,
        /// As much as can be written.
        BalanceFarTooLow,
        /// More than there is, to oneself.
        BalanceLowForSelf,
        /// All that there is.
        SenderBelowDeposit,
        /// One unit too many.
        SenderJustBelowDeposit,
        /// Too little for an account that would have to be made.
        RecipientBelowDeposit,
        /// Nothing, to nobody.
        NothingForNobody,
        /// Mortal, with a tip, a bad signature, a nonce that was used and too much: the first of these counts.
        EraMortalAndMore,
        /// With a tip, a bad signature, a nonce too high and too much.
        TipAndMore,
        /// A bad signature, a nonce too high and too much.
        SignatureAndMore,
        /// A nonce too high, and too much.
        NonceAndMore,
        /// More than there is, to nobody.
        BalanceAndMore,
    }
}

impl Fault {
    /// Why it is refused.
    pub fn reason(self) -> &'static str {
        use Fault::*;
        match self {
            TimestampTwice => "the timestamp is set twice",
            TimestampSigned => "the timestamp must not be signed",
            TransferBare => "a transfer must be signed",
            SignatureBit
            | SignatureOfAnother
            | SignatureKind
            | SignedForAnotherChain
            | SignedForAnotherVersion
            | ValueChanged
            | NonceChanged
            | SignatureAndMore => "the signature is wrong",
            NonceUsed | NonceLast => "the nonce is used",
            NonceSkipped | NonceAndMore => "the nonce is too high",
            EraMortal | EraMortalAndMore => "the era is mortal",
            Tip | TipAndMore => "the tip is not zero",
            BalanceLow | BalanceFarTooLow | BalanceLowForSelf | BalanceAndMore => "the balance is too low",
            SenderBelowDeposit | SenderJustBelowDeposit => "the sender would fall below the existential deposit",
            RecipientBelowDeposit | NothingForNobody => "the recipient would stay below the existential deposit",
        }
    }

    /// An extrinsic with this fault, refused by `ledger` for nothing else. Nothing where no sender was hit on that can have
    /// the fault.
    pub fn make(self, scene: &mut Scene, ledger: &Ledger) -> Option<Extrinsic> {
        use Fault::*;
        let keys = Rc::clone(&scene.keys);
        let account = |key: &Key| ledger.account(&key.id).expect("the model has written it");
        let exists = |key: &&Key| account(key).data.free > 0;
        let rich: Vec<&Key> = keys.iter().filter(|key| account(key).data.free >= 3 * EXISTENTIAL_DEPOSIT).collect();
        let from: &Key = rich.choose(&mut scene.random)?;
        let nobody = || keys.iter().find(|key| !exists(key));
        let other: &Key = keys.iter().filter(exists).find(|key| key.id != from.id)?;
        let free = account(from).data.free;
        let value = scene.random.gen_range(0..=EXISTENTIAL_DEPOSIT);
        let mut transaction = scene.transaction(from, ledger, other.id.clone(), value);
        let pay =
            |transaction: &mut Transaction, to: &Key, value| transaction.call = chain::transfer(to.id.clone(), value);
        match self {
            TimestampTwice => {
                let now = ledger.now().expect("the model has written it") + 1;
                return Some(Extrinsic::new_bare_legacy(chain::set_timestamp(now)));
            }
            TransferBare => return Some(Extrinsic::new_bare_legacy(transaction.call)),
            TimestampSigned => transaction.call = chain::set_timestamp(u64::MAX),
            SignedForAnotherChain => transaction.genesis_hash = H256::repeat_byte(7),
            SignedForAnotherVersion => transaction.spec_version = SPEC_VERSION + 1,
            NonceUsed => {
                let nonce = &mut transaction.extra.nonce;
                *nonce = Compact(nonce.0.checked_sub(1)?);
            }
            NonceSkipped => transaction.extra.nonce.0 += 1,
            NonceLast => transaction.extra.nonce = Compact(u32::MAX),
            EraMortal => transaction.extra.era = Era::mortal(1 << scene.random.gen_range(2..=16), 77),
            Tip => transaction.extra.tip = Compact(1 + crate::scene::below_bits(&mut scene.random, 127)),
            BalanceLow => pay(&mut transaction, other, free + 1),
            BalanceFarTooLow => pay(&mut transaction, other, u128::MAX),
            BalanceLowForSelf => pay(&mut transaction, from, free + 1),
            SenderBelowDeposit => pay(&mut transaction, other, free),
            SenderJustBelowDeposit => pay(&mut transaction, other, free - EXISTENTIAL_DEPOSIT + 1),
            RecipientBelowDeposit => pay(&mut transaction, nobody()?, EXISTENTIAL_DEPOSIT - 1),
            NothingForNobody => pay(&mut transaction, nobody()?, 0),
            EraMortalAndMore | TipAndMore | SignatureAndMore | NonceAndMore | BalanceAndMore => {
                pay(&mut transaction, nobody()?, free + 1);
                if self != BalanceAndMore {
                    transaction.extra.nonce.0 += 1;
                }
                if matches!(self, EraMortalAndMore | TipAndMore) {
                    transaction.extra.tip = Compact(5);
                }
                if self == EraMortalAndMore {
                    transaction.extra.era = Era::mortal(64, 0);
                }
            }
            SignatureBit | SignatureOfAnother | SignatureKind | ValueChanged | NonceChanged => {}
        }
        let signed = scene.sign(from, transaction.clone());
        let sp_runtime::generic::Preamble::Signed(address, signature, mut extra) = signed.preamble else {
            unreachable!("was just signed");
        };
        let mut call = transaction.call.clone();
        let signature = match self {
            SignatureBit | SignatureAndMore | EraMortalAndMore | TipAndMore => {
                let bit = scene.random.gen_range(0..512);
                flipped(signature, bit)
            }
            SignatureOfAnother => other.sign(&crate::model::payload(&call, &extra, SPEC_VERSION, scene.genesis_hash)),
            SignatureKind => match signature {
                MultiSignature::Ed25519(signature) => MultiSignature::Sr25519(signature.0.into()),
                MultiSignature::Sr25519(signature) => MultiSignature::Ed25519(signature.0.into()),
                other => other,
            },
            ValueChanged => {
                call = chain::transfer(other.id.clone(), value + 1);
                signature
            }
            NonceChanged => {
                extra.nonce.0 += 1;
                signature
            }
            _ => signature,
        };
        Some(Extrinsic::new_signed(call, address, signature, extra))
    }
}

fn flipped(signature: MultiSignature, bit: usize) -> MultiSignature {
    let flip = |mut bytes: [u8; 64]| {
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    match signature {
        MultiSignature::Ed25519(signature) => MultiSignature::Ed25519(flip(signature.0).into()),
        MultiSignature::Sr25519(signature) => MultiSignature::Sr25519(flip(signature.0).into()),
        other => other,
    }
}
