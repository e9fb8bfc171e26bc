//! Blocks that are refused for their header, their order, their encoding or the state they run on.

use super::named;
use crate::{
    chain::{self, Extrinsic, Header},
    model::{Ledger, account_key, key},
    scene::{Draft, Scene},
};
use codec::{Compact, Encode};
use rand::{Rng, seq::SliceRandom};
use sp_core::H256;
use sp_runtime::DigestItem;
use std::rc::Rc;

named! {
    /// What is wrong with a block.
    pub enum Spoil {
        /// The next number but one.
        NumberSkips,
        /// The last block's number.
        NumberRepeats,
        /// The number 0.
        NumberZero,
        /// The parent is nothing that was ever seen.
        ParentUnknown,
        /// The parent is the last block's parent.
        ParentOfParent,
        /// A bit of the parent's hash.
        ParentBit,
        /// A bit of the root of the extrinsics.
        ExtrinsicsRootBit,
        /// A bit of the state's root.
        StateRootBit,
        /// Both roots.
        BothRoots,
        /// The digest has an item more.
        DigestItemMore,
        /// No timestamp.
        TimestampMissing,
        /// No extrinsic at all.
        Empty,
        /// The timestamp comes after a transfer.
        TimestampLate,
        /// The last block's time.
        TimestampOfParent,
        /// The time 0.
        TimestampZero,
        /// The last transfer is left out.
        TransferLeftOut,
        /// The last transfer comes twice.
        TransferTwice,
        /// Two transfers in the other order, in which they could be made as well.
        TransfersSwapped,
        /// Nothing.
        NoInput,
        /// The input ends in the header.
        CutInHeader,
        /// The last byte is missing.
        CutAtEnd,
        /// A byte follows.
        ByteMore,
        /// More extrinsics are announced than there are.
        CountTooHigh,
        /// Fewer extrinsics are announced than there are.
        CountTooLow,
        /// As many extrinsics are announced as can be.
        CountHuge,
        /// The number of extrinsics is not written in its shortest form.
        CountNotMinimal,
        /// The block's number is not written in its shortest form.
        NumberNotMinimal,
        /// A kind of digest item that there is not.
        DigestItemUnknown,
        /// More digest items are announced than there are bytes.
        DigestCountHuge,
        /// The state's number has another length.
        StateNumberLength,
        /// The state's parent hash has another length.
        StateParentHashLength,
        /// The state's root of extrinsics has another length.
        StateExtrinsicsRootLength,
        /// The state's genesis hash has another length.
        StateGenesisHashLength,
        /// The state's time has another length.
        StateNowLength,
        /// The sender's account has another length.
        StateSenderLength,
        /// The recipient's account has another length.
        StateRecipientLength,
        /// The state has the mark of a block that is being made.
        StateTimestampLeft,
        /// The state has the highest number that there is.
        StateNumberLast,
        /// The state's latest time leaves none that is later.
        StateNowLast,
        /// The recipient has nearly all that can be had.
        StateRecipientFull,
        /// The sender has used up its nonces.
        StateNonceLast,
    }
}

/// A block that is refused, on its state.
pub struct Spoiled {
    /// The state; the scene's where there is none.
    pub ledger: Option<Ledger>,
    /// What `Core_execute_block` is given.
    pub input: Vec<u8>,
    /// With what the call ends.
    pub message: String,
}

const NOT_DECODED: &str = "Core_execute_block: the input does not decode";
const PARENT: &str = "block: the parent is another block";
const EXTRINSICS_ROOT: &str = "block: the extrinsics root differs";
const STATE_ROOT: &str = "block: the state root differs";
const LENGTH: &str = "state: a value has the wrong length";

impl Spoil {
    /// Spoils a block that is right; nothing where it has not what it takes.
    pub fn make(self, scene: &mut Scene, right: &Draft) -> Option<Spoiled> {
        use Spoil::*;
        let mut draft = right.clone();
        let flip = |hash: &mut H256, bit: usize| hash.0[bit / 8] ^= 1 << (bit % 8);
        let bit = scene.random.gen_range(0..256);
        let header = &mut draft.header;
        let message = match self {
            NumberSkips => {
                header.number += 1;
                "block: the number does not follow the parent's"
            }
            NumberRepeats | NumberZero => {
                header.number = if self == NumberZero { 0 } else { header.number - 1 };
                "block: the number does not follow the parent's"
            }
            ParentUnknown => {
                header.parent_hash = H256(scene.random.r#gen());
                PARENT
            }
            ParentOfParent => {
                header.parent_hash = H256::from_slice(scene.ledger.storage.get(&key("System", "ParentHash"))?);
                PARENT
            }
            ParentBit => {
                flip(&mut header.parent_hash, bit);
                PARENT
            }
            ExtrinsicsRootBit => {
                flip(&mut header.extrinsics_root, bit);
                EXTRINSICS_ROOT
            }
            StateRootBit => {
                flip(&mut header.state_root, bit);
                STATE_ROOT
            }
            BothRoots => {
                (header.state_root, header.extrinsics_root) = (header.extrinsics_root, header.state_root);
                EXTRINSICS_ROOT
            }
            DigestItemMore => {
                header.digest.logs.push(DigestItem::Other(vec![1, 2, 3]));
                STATE_ROOT
            }
            TimestampMissing => {
                draft.extrinsics.remove(0);
                Scene::seal(&mut draft);
                "block: the timestamp is missing"
            }
            Empty => {
                draft.extrinsics.clear();
                Scene::seal(&mut draft);
                "block: the timestamp is missing"
            }
            TimestampLate => {
                if draft.extrinsics.len() < 2 {
                    return None;
                }
                draft.extrinsics.swap(0, 1);
                "extrinsic 1: the timestamp is not the first extrinsic"
            }
            TimestampOfParent | TimestampZero => {
                let last = scene.ledger.now().expect("the model has written it");
                let now = if self == TimestampZero { 0 } else { last };
                draft.extrinsics[0] = Extrinsic::new_bare_legacy(chain::set_timestamp(now));
                "extrinsic 0: the timestamp is not later than the last"
            }
            TransferLeftOut => {
                if draft.extrinsics.len() < 2 {
                    return None;
                }
                draft.extrinsics.pop();
                EXTRINSICS_ROOT
            }
            TransferTwice => {
                if draft.extrinsics.len() < 2 {
                    return None;
                }
                draft.extrinsics.push(draft.extrinsics.last()?.clone());
                let index = draft.extrinsics.len() - 1;
                return Some(refused(&draft, format!("extrinsic {index}: the nonce is used")));
            }
            TransfersSwapped => {
                let last = draft.extrinsics.len().checked_sub(1).filter(|last| *last > 1)?;
                draft.extrinsics.swap(last - 1, last);
                if scene.ledger.execute(&draft.header, &draft.extrinsics).err()? != EXTRINSICS_ROOT {
                    return None;
                }
                EXTRINSICS_ROOT
            }
            _ => return self.bytes(scene, right).or_else(|| self.state(scene)),
        };
        Some(refused(&draft, message.into()))
    }

    /// What is wrong with the encoding.
    fn bytes(self, scene: &mut Scene, right: &Draft) -> Option<Spoiled> {
        use Spoil::*;
        let header = right.header.encode();
        let count = right.extrinsics.len() as u32;
        let extrinsics: Vec<u8> = right.extrinsics.iter().flat_map(Encode::encode).collect();
        let mut whole = right.encode();
        let counted = |count: u32| [&header[..], &Compact(count).encode(), &extrinsics].concat();
        let number = Compact(right.header.number).encode().len();
        let (before, after) = (&header[..32], &header[32 + number..]);
        let digest = after.len() - right.header.digest.encode().len();
        let input = match self {
            NoInput => vec![],
            CutInHeader => whole[..scene.random.gen_range(1..header.len())].to_vec(),
            CutAtEnd => {
                whole.pop();
                whole
            }
            ByteMore => {
                whole.push(0);
                whole
            }
            CountTooHigh => counted(count + 1),
            CountTooLow => counted(count - 1),
            CountHuge => counted(u32::MAX),
            CountNotMinimal => [&header[..], &(count * 4 + 2).to_le_bytes(), &extrinsics].concat(),
            NumberNotMinimal => {
                let long = [&[3][..], &(right.header.number).to_le_bytes()].concat();
                [before, &long, after, &Compact(count).encode(), &extrinsics].concat()
            }
            DigestItemUnknown | DigestCountHuge => {
                let item: &[u8] = if self == DigestItemUnknown { &[4, 1, 0] } else { &[3, 255, 255, 255, 255, 8] };
                [
                    before,
                    &Compact(right.header.number).encode(),
                    &after[..digest],
                    item,
                    &Compact(count).encode(),
                    &extrinsics,
                ]
                .concat()
            }
            _ => return None,
        };
        Some(Spoiled { ledger: None, input, message: NOT_DECODED.into() })
    }

    /// What is wrong with the state: blocks as they should be, on states that no block leaves behind.
    fn state(self, scene: &mut Scene) -> Option<Spoiled> {
        use Spoil::*;
        let mut ledger = scene.ledger.clone();
        let keys = Rc::clone(&scene.keys);
        let existing: Vec<_> = keys.iter().filter(|key| ledger.storage.contains_key(&account_key(&key.id))).collect();
        let mut two = existing.choose_multiple(&mut scene.random, 2);
        let (from, to) = (*two.next()?, *two.next()?);
        let value = scene.random.gen_range(1..1_000_000);
        // Enough for the transfer, whatever the account has had.
        let mut sender = ledger.account(&from.id).expect("the model has written it");
        sender.data.free = u128::MAX;
        ledger.set_account(&from.id, &sender);
        let now = ledger.now().expect("the model has written it") + 1;
        let number = ledger.number().expect("the model has written it") + 1;
        let mut transaction = scene.transaction(from, &ledger, to.id.clone(), value);

        let shorter = |ledger: &mut Ledger, key: Vec<u8>| ledger.storage.get_mut(&key).and_then(Vec::pop);
        let (message, number, now) = match self {
            StateNumberLength => {
                shorter(&mut ledger, key("System", "Number"))?;
                (LENGTH, number, now)
            }
            StateParentHashLength => {
                shorter(&mut ledger, key("System", "ParentHash"))?;
                (LENGTH, number, now)
            }
            StateExtrinsicsRootLength => {
                ledger.storage.get_mut(&key("System", "ExtrinsicsRoot"))?.push(0);
                (LENGTH, number, now)
            }
            StateGenesisHashLength => {
                let prefix = key("System", "BlockHash");
                let key = ledger.storage.keys().find(|key| key.starts_with(&prefix))?.clone();
                shorter(&mut ledger, key)?;
                (LENGTH, number, now)
            }
            StateNowLength => {
                ledger.storage.get_mut(&key("Timestamp", "Now"))?.push(0);
                (LENGTH, number, now)
            }
            StateSenderLength => {
                shorter(&mut ledger, account_key(&from.id))?;
                (LENGTH, number, now)
            }
            StateRecipientLength => {
                ledger.storage.get_mut(&account_key(&to.id))?.push(0);
                (LENGTH, number, now)
            }
            StateTimestampLeft => {
                ledger.storage.insert(key("Timestamp", "DidUpdate"), vec![1]);
                ("extrinsic 0: the timestamp is set twice", number, now)
            }
            StateNumberLast => {
                ledger.storage.insert(key("System", "Number"), u32::MAX.encode());
                ("block: the number does not follow the parent's", 0, now)
            }
            StateNowLast => {
                ledger.storage.insert(key("Timestamp", "Now"), u64::MAX.encode());
                ("extrinsic 0: the timestamp is not later than the last", number, u64::MAX)
            }
            StateRecipientFull => {
                let mut recipient = ledger.account(&to.id).expect("the model has written it");
                recipient.data.free = u128::MAX - value + 1;
                ledger.set_account(&to.id, &recipient);
                ("extrinsic 1: the recipient's balance would overflow", number, now)
            }
            StateNonceLast => {
                sender.nonce = u32::MAX;
                ledger.set_account(&from.id, &sender);
                transaction.extra.nonce = Compact(u32::MAX);
                ("extrinsic 1: the nonce is used", number, now)
            }
            _ => return None,
        };
        let header = Header {
            parent_hash: ledger.last_hash().unwrap_or_default(),
            number,
            state_root: H256::zero(),
            extrinsics_root: H256::zero(),
            digest: Default::default(),
        };
        let extrinsics = vec![Extrinsic::new_bare_legacy(chain::set_timestamp(now)), scene.sign(from, transaction)];
        let draft = Draft { header, extrinsics };
        let said = ledger.execute(&draft.header, &draft.extrinsics).err();
        assert_eq!(said.as_deref(), Some(message), "{self:?}: what the model says");
        Some(Spoiled { ledger: Some(ledger), input: draft.encode(), message: message.into() })
    }
}

fn refused(draft: &Draft, message: String) -> Spoiled {
    Spoiled { ledger: None, input: draft.encode(), message }
}
