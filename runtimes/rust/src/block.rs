//! A block, from its first step to its header.

use crate::{
    host, state, transaction,
    types::{Block, Call, Digest, Extrinsic, Header},
};
use alloc::vec::Vec;
use codec::{Compact, Encode};

/// Where the inherent data hold the timestamp.
const TIMESTAMP: [u8; 8] = *b"timstap0";
/// How far in the future a block's timestamp may lie, in milliseconds.
const MAX_DRIFT: u64 = 30_000;

/// Begins a block on the last one.
pub(crate) fn initialise(header: &Header) {
    let last = state::number();
    if last.checked_add(1) != Some(header.number) {
        host::abort("block: the number does not follow the parent's");
    }
    let mut parent = Vec::with_capacity(256);
    (state::parent_hash(), Compact(last), host::storage_root(), state::extrinsics_root()).encode_to(&mut parent);
    parent.extend_from_slice(&state::digest());
    if host::blake2_256(&parent) != header.parent_hash {
        host::abort("block: the parent is another block");
    }
    state::begin(header.number, &header.parent_hash, &header.digest.0);
}

/// Ends the block that was begun, and gives its header.
pub(crate) fn finalise() -> Header {
    if !state::has_timestamp() {
        host::abort("block: the timestamp is missing");
    }
    let extrinsics_root = state::end();
    Header {
        parent_hash: state::parent_hash(),
        number: state::number(),
        state_root: host::storage_root(),
        extrinsics_root,
        digest: Digest(state::digest()),
    }
}

/// Executes a block, and ends the call where its header is not the one that comes out.
pub(crate) fn execute(block: Block<'_>) {
    initialise(&block.header);
    for (index, extrinsic) in (0..).zip(&block.extrinsics) {
        if let Err(refusal) = transaction::apply(extrinsic, index) {
            host::abort(&alloc::format!("extrinsic {index}: {}", refusal.reason));
        }
    }
    let header = finalise();
    if header.extrinsics_root != block.header.extrinsics_root {
        host::abort("block: the extrinsics root differs");
    }
    if header.state_root != block.header.state_root {
        host::abort("block: the state root differs");
    }
}

/// What the node says of the block that it makes or checks: values by identifiers.
pub(crate) type InherentData = Vec<([u8; 8], Vec<u8>)>;

/// The time among them.
pub(crate) fn timestamp_among(data: &InherentData) -> Option<u64> {
    let (_, now) = data.iter().find(|(identifier, _)| *identifier == TIMESTAMP)?;
    Some(u64::from_le_bytes(now.as_slice().try_into().ok()?))
}

/// Whether the block's timestamp is not too far ahead of `now`: `CheckInherentsResult`.
pub(crate) fn check_inherents(block: &Block<'_>, now: u64) -> Vec<u8> {
    let (okay, fatal_error, errors): (bool, bool, InherentData) = match block.extrinsics.first() {
        Some(Extrinsic { signed: None, call: Call::Timestamp(set), .. }) if *set > now.saturating_add(MAX_DRIFT) => {
            // `InherentError::TooFarInFuture`.
            (false, true, [(TIMESTAMP, [1].into())].into())
        }
        _ => (true, false, Vec::new()),
    };
    (okay, fatal_error, errors).encode()
}
