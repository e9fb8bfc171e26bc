//! A template runtime on FRAME whose heap is chosen by a cargo feature.
//!
//! | feature | whose heap it is | on which hosts |
//! | --- | --- | --- |
//! | none | the host's | all |
//! | `v1` | the runtime's own, by RFC-0061 | those that know v1 |
//! | `local` | the runtime's own, except for what host functions return | all |
//!
//! Nothing but the features' dependency and the one line below is about the heap. `docs/frame.md` leads there from any FRAME runtime.
#![cfg_attr(not(feature = "std"), no_std)]
#![allow(missing_docs, reason = "what FRAME's macros write has none")]

extern crate alloc;

/// The heap: a crate has to be named to be linked.
#[cfg(any(feature = "v1", feature = "local"))]
use heapbase as _;

pub mod apis;
pub mod genesis;

use alloc::vec::Vec;
use frame::{prelude::*, runtime::prelude::*};

/// Blocks, headers and transactions of the chain.
pub mod types {
    use super::{Runtime, RuntimeCall};
    use frame::{deps::sp_runtime::generic, prelude::BlakeTwo256, runtime::types_common};

    pub use types_common::{AccountId, BlockNumber, Signature};

    /// Where a transfer goes.
    pub type Address = frame::deps::sp_runtime::MultiAddress<AccountId, ()>;

    /// Amounts, in units of which [`super::UNIT`] make one token.
    pub type Balance = u128;

    /// How many transactions an account has made.
    pub type Nonce = u32;

    /// A header.
    pub type Header = generic::Header<BlockNumber, BlakeTwo256>;

    /// What a signed transaction says besides its call.
    pub type TxExtension = (
        frame::deps::frame_system::CheckNonZeroSender<Runtime>,
        frame::deps::frame_system::CheckSpecVersion<Runtime>,
        frame::deps::frame_system::CheckTxVersion<Runtime>,
        frame::deps::frame_system::CheckGenesis<Runtime>,
        frame::deps::frame_system::CheckEra<Runtime>,
        frame::deps::frame_system::CheckNonce<Runtime>,
        frame::deps::frame_system::CheckWeight<Runtime>,
        pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    );

    /// A transaction or an inherent.
    pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

    /// What a transaction's signature is of.
    pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

    /// A block.
    pub type Block = generic::Block<Header, UncheckedExtrinsic>;

    /// What executes blocks.
    pub type Executive = frame::deps::frame_executive::Executive<
        Runtime,
        Block,
        frame::deps::frame_system::ChainContext<Runtime>,
        Runtime,
        super::AllPalletsWithSystem,
    >;
}
use types::{Balance, Block, Nonce};

/// One token.
pub const UNIT: Balance = 1_000_000_000_000;

/// Milliseconds between blocks.
pub const SLOT_DURATION: u64 = 6_000;

/// The attribute wants a number that is written out.
macro_rules! version {
    ($spec:tt) => {
        /// The version, of which hosts also find a copy in a section of the module.
        #[runtime_version]
        pub const VERSION: RuntimeVersion = RuntimeVersion {
            spec_name: alloc::borrow::Cow::Borrowed("heapbase-frame"),
            impl_name: alloc::borrow::Cow::Borrowed("heapbase-frame"),
            authoring_version: 1,
            spec_version: $spec,
            impl_version: 1,
            apis: apis::RUNTIME_API_VERSIONS,
            transaction_version: 1,
            system_version: 1,
        };
    };
}
#[cfg(not(feature = "next"))]
version!(1);
#[cfg(feature = "next")]
version!(2);

#[frame_construct_runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Runtime>;

    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp::Pallet<Runtime>;

    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura::Pallet<Runtime>;

    #[runtime::pallet_index(3)]
    pub type Grandpa = pallet_grandpa::Pallet<Runtime>;

    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances::Pallet<Runtime>;

    #[runtime::pallet_index(5)]
    pub type TransactionPayment = pallet_transaction_payment::Pallet<Runtime>;

    #[runtime::pallet_index(6)]
    pub type Sudo = pallet_sudo::Pallet<Runtime>;

    #[runtime::pallet_index(7)]
    pub type Notes = pallet_notes::Pallet<Runtime>;
}

parameter_types! {
    /// The version, for the system pallet.
    pub const Version: RuntimeVersion = VERSION;
    /// Three quarters of two seconds a block are for transactions.
    pub Weights: frame::deps::frame_system::limits::BlockWeights =
        frame::deps::frame_system::limits::BlockWeights::with_sensible_defaults(
            Weight::from_parts(2_000_000_000_000, u64::MAX),
            frame::deps::sp_runtime::Perbill::from_percent(75),
        );
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockWeights = Weights;
    type DbWeight = frame::weights_prelude::RocksDbWeight;
    type Version = Version;
    type Nonce = Nonce;
    type AccountData = pallet_balances::AccountData<Balance>;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = ConstU64<{ SLOT_DURATION / 2 }>;
    type WeightInfo = ();
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = frame::runtime::apis::sr25519::AuthorityId;
    type MaxAuthorities = ConstU32<32>;
    type DisabledValidators = ();
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<SLOT_DURATION>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<32>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = frame::deps::sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = ();
    type Balance = Balance;
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<{ UNIT / 1_000 }>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<0>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = pallet_transaction_payment::FungibleAdapter<Balances, ()>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightToFee = frame::runtime::prelude::weights::IdentityFee<Balance>;
    type LengthToFee = frame::runtime::prelude::weights::IdentityFee<Balance>;
    type FeeMultiplierUpdate = pallet_transaction_payment::ConstFeeMultiplier<One>;
    type WeightInfo = ();
}

parameter_types! {
    /// Fees do not depend on how full blocks are.
    pub One: pallet_transaction_payment::Multiplier = frame::arithmetic::One::one();
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = ();
}

impl pallet_notes::Config for Runtime {
    type MaxLength = ConstU32<1_024>;
    type MaxNotes = ConstU32<1_000>;
}
