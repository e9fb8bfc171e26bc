//! Ways to spoil a block.

use crate::chain::Authored;
use codec::Encode;
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash, Header as _};

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spoil {
    /// The state's root is another.
    StateRoot,
    /// The root of the extrinsics is another.
    ExtrinsicsRoot,
    /// The parent is another.
    Parent,
    /// The number is another.
    Number,
    /// The last extrinsic is missing, and the header knows.
    Dropped,
    /// An extrinsic comes twice, and the header knows.
    Twice,
    /// The inherent comes last, and the header knows.
    InherentLast,
    /// A byte of a signature is another, and the header knows.
    Signature,
    /// The bytes end early.
    Cut,
    /// A digest of the runtime's is missing or too much.
    Digest,
}

impl Spoil {
    /// All of them.
    pub const ALL: [Spoil; 10] = [
        Spoil::StateRoot,
        Spoil::ExtrinsicsRoot,
        Spoil::Parent,
        Spoil::Number,
        Spoil::Dropped,
        Spoil::Twice,
        Spoil::InherentLast,
        Spoil::Signature,
        Spoil::Cut,
        Spoil::Digest,
    ];

    /// The bytes of a block that is spoiled; nothing where it has not what that takes.
    pub fn make(self, block: &Authored) -> Option<Vec<u8>> {
        let mut spoiled = block.clone();
        let header = &mut spoiled.header;
        match self {
            Spoil::StateRoot => header.state_root.0[0] ^= 1,
            Spoil::ExtrinsicsRoot => header.extrinsics_root.0[31] ^= 1,
            Spoil::Parent => header.parent_hash.0[7] ^= 1,
            Spoil::Number => header.set_number(header.number + 1),
            Spoil::Dropped => _ = spoiled.extrinsics.pop(),
            Spoil::Twice => {
                let twice = spoiled.extrinsics.get(1)?.clone();
                spoiled.extrinsics.push(twice);
            }
            Spoil::InherentLast => {
                spoiled.extrinsics.get(1)?;
                spoiled.extrinsics.rotate_left(1);
            }
            Spoil::Signature => {
                let mut bytes = spoiled.extrinsics.get(1)?.encode();
                // Behind the length, the version, the address and the signature's kind.
                let at = bytes.len().min(60);
                bytes[at] ^= 1;
                spoiled.extrinsics[1] = codec::DecodeAll::decode_all(&mut &bytes[..]).ok()?;
            }
            Spoil::Cut => {
                let mut bytes = spoiled.encode();
                bytes.pop();
                return Some(bytes);
            }
            Spoil::Digest => {
                let seal = sp_runtime::DigestItem::Other(vec![1]);
                header.digest.push(seal);
            }
        }
        if matches!(self, Spoil::Dropped | Spoil::Twice | Spoil::InherentLast | Spoil::Signature) {
            spoiled.header.extrinsics_root = root(&spoiled);
        }
        Some(spoiled.encode())
    }
}

fn root(block: &Authored) -> H256 {
    let encoded = block.extrinsics.iter().map(Encode::encode).collect();
    BlakeTwo256::ordered_trie_root(encoded, sp_core::storage::StateVersion::V1)
}
