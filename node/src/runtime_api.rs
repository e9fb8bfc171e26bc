//! What the node asks of its runtime.
//!
//! The node knows no runtime: it calls entry points of whatever code the state holds. The macros that write the callers want an
//! implementation to write them for, so there is one of a runtime that is never run.

use sp_api::impl_runtime_apis;
use sp_consensus_aura::{SlotDuration, sr25519::AuthorityId as AuraId};
use sp_consensus_grandpa::{AuthorityId, AuthorityList, EquivocationProof, OpaqueKeyOwnershipProof, SetId};
use sp_core::{OpaqueMetadata, crypto::KeyTypeId};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
    AccountId32, ApplyExtrinsicResult, ExtrinsicInclusionMode, OpaqueExtrinsic, generic,
    traits::{BlakeTwo256, Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

/// A header.
pub(crate) type Header = generic::Header<u32, BlakeTwo256>;

/// A block, whose transactions only the runtime can read.
pub(crate) type Block = generic::Block<Header, OpaqueExtrinsic>;

/// The hash of a block.
pub(crate) type Hash = <Block as BlockT>::Hash;

/// Who has money.
pub(crate) type AccountId = AccountId32;

/// How many transactions an account has made.
pub(crate) type Nonce = u32;

/// The runtime that is never run.
#[expect(dead_code, reason = "only callers are written for it")]
pub(crate) struct Runtime;

#[expect(dead_code, reason = "only callers are written for it")]
fn never() -> ! {
    unreachable!("calls go to the runtime that the state holds")
}

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            never()
        }

        fn execute_block(_: <Block as BlockT>::LazyBlock) {
            never()
        }

        fn initialize_block(_: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            never()
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            never()
        }

        fn metadata_at_version(_: u32) -> Option<OpaqueMetadata> {
            never()
        }

        fn metadata_versions() -> Vec<u32> {
            never()
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(_: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            never()
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            never()
        }

        fn inherent_extrinsics(_: InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            never()
        }

        fn check_inherents(_: <Block as BlockT>::LazyBlock, _: InherentData) -> CheckInherentsResult {
            never()
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            _: TransactionSource,
            _: <Block as BlockT>::Extrinsic,
            _: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            never()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(_: Vec<u8>, _: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys {
            never()
        }

        fn decode_session_keys(_: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            never()
        }
    }

    impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
        fn slot_duration() -> SlotDuration {
            never()
        }

        fn authorities() -> Vec<AuraId> {
            never()
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> AuthorityList {
            never()
        }

        fn current_set_id() -> SetId {
            never()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            _: EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
            _: OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            never()
        }

        fn generate_key_ownership_proof(_: SetId, _: AuthorityId) -> Option<OpaqueKeyOwnershipProof> {
            never()
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(_: AccountId) -> Nonce {
            never()
        }
    }
}
