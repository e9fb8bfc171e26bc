//! The ledger of `../LEDGER.md`: the reference.
//!
//! | file | what |
//! | --- | --- |
//! | `host` | the host functions, and how a call ends early |
//! | `types` | extrinsics, headers, blocks |
//! | `state` | keys, values, accounts, events |
//! | `transaction` | checking and applying an extrinsic |
//! | `block` | from a block's first step to its header |
//! | `genesis` | the first state |
//! | `version` | what the runtime says of itself |
//!
//! One source, built for two allocator specs: by default the host owns the heap, with the feature `v1` the module does.

#![no_std]

extern crate alloc;

// Naming the crate links it: its feature `v1` installs the allocator and exports it.
#[cfg(feature = "v1")]
use heapbase as _;

mod block;
mod genesis;
#[cfg(not(feature = "v1"))]
mod heap;
mod host;
mod state;
mod transaction;
mod types;
mod version;

use alloc::{vec, vec::Vec};
use codec::{DecodeAll, Encode};
use types::{Block, Extrinsic, Hash};

/// Exports functions as entry points under their own names. A body is given the input, and nothing where it gives
/// nothing: then the input does not decode.
macro_rules! entries {
    ($($(#[$attr:meta])* fn $name:ident($input:ident) $body:block)*) => {$(
        $(#[$attr])*
        ///
        /// # Safety
        ///
        /// For the host only: `ptr` and `len` describe the block that holds the input.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)]
        pub unsafe extern "C" fn $name(ptr: *const u8, len: usize) -> u64 {
            fn body($input: &[u8]) -> Option<Vec<u8>> $body
            // SAFETY: the host wrote `len` bytes at `ptr` before the call and leaves them alone until it returns.
            let input = unsafe { core::slice::from_raw_parts(ptr, len) };
            match body(input) {
                Some(output) => host::returned(output),
                None => host::abort(concat!(stringify!($name), ": the input does not decode")),
            }
        }
    )*};
}

/// What an entry without arguments demands of its input.
fn nothing(input: &[u8]) -> Option<()> {
    input.is_empty().then_some(())
}

fn all<T: DecodeAll>(mut input: &[u8]) -> Option<T> {
    T::decode_all(&mut input).ok()
}

entries! {
    /// The version, with the interfaces.
    fn Core_version(input) {
        nothing(input)?;
        Some(version::version())
    }

    /// Executes a whole block; whatever does not fit ends the call.
    fn Core_execute_block(input) {
        block::execute(Block::decode_all(input)?);
        Some(Vec::new())
    }

    /// Begins a block; the answer says that any extrinsic may follow.
    fn Core_initialize_block(input) {
        block::initialise(&all(input)?);
        Some(vec![0])
    }

    /// Applies one extrinsic to the block that was begun.
    fn BlockBuilder_apply_extrinsic(input) {
        let extrinsic = Extrinsic::decode_all(input)?;
        Some(match transaction::apply(&extrinsic, state::extrinsic_index()) {
            Ok(()) => vec![0, 0],
            Err(refusal) => refusal.encoded(),
        })
    }

    /// Ends the block that was begun.
    fn BlockBuilder_finalize_block(input) {
        nothing(input)?;
        Some(block::finalise().encode())
    }

    /// The extrinsics that the block's author adds: the timestamp.
    fn BlockBuilder_inherent_extrinsics(input) {
        let now = block::timestamp_among(&all(input)?)
            .unwrap_or_else(|| host::abort("BlockBuilder_inherent_extrinsics: no timestamp among the inherent data"));
        Some(vec![types::timestamp_extrinsic(now.max(state::now().saturating_add(1)))].encode())
    }

    /// Whether the timestamp of a block is one that this node would accept now.
    fn BlockBuilder_check_inherents(input) {
        let (block, mut rest) = Block::decode(input)?;
        let now = block::timestamp_among(&all(core::mem::take(&mut rest))?)
            .unwrap_or_else(|| host::abort("BlockBuilder_check_inherents: no timestamp among the inherent data"));
        Some(block::check_inherents(&block, now))
    }

    /// The metadata in the version that all clients know.
    fn Metadata_metadata(input) {
        nothing(input)?;
        Some(version::METADATA[0].1.encode())
    }

    /// The metadata in a version.
    fn Metadata_metadata_at_version(input) {
        let version: u32 = all(input)?;
        Some(version::METADATA.iter().find(|(known, _)| *known == version).map(|(_, bytes)| bytes).encode())
    }

    /// The versions that the metadata is there in.
    fn Metadata_metadata_versions(input) {
        nothing(input)?;
        Some(version::METADATA.map(|(version, _)| version).to_vec().encode())
    }

    /// Whether a transaction may wait for its block.
    fn TaggedTransactionQueue_validate_transaction(input) {
        let (&source, input) = input.split_first()?;
        let (extrinsic, input) = Extrinsic::decode(input)?;
        let hash: Hash = all(input)?;
        if source > 2 {
            return None;
        }
        Some(match transaction::validate(&extrinsic, hash) {
            Ok(validity) => validity,
            Err(refusal) => refusal.encoded(),
        })
    }

    /// The nonce that an account's next transaction has.
    fn AccountNonceApi_account_nonce(input) {
        Some(state::Account::load(&all(input)?).nonce().encode())
    }

    /// Writes the first state.
    fn GenesisBuilder_build_state(input) {
        let text: Vec<u8> = all(input)?;
        Some(genesis::build(&text).encode())
    }

    /// A configuration of the first state, by its name.
    fn GenesisBuilder_get_preset(input) {
        let name: Option<Vec<u8>> = all(input)?;
        Some(genesis::preset(name.as_deref()).encode())
    }

    /// The names of the configurations.
    fn GenesisBuilder_preset_names(input) {
        nothing(input)?;
        Some(vec![genesis::DEVELOPMENT].encode())
    }
}
