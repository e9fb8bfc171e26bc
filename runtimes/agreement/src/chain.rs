//! The ledger's types, as Polkadot SDK's own crates encode them: what `LEDGER.md` writes in bytes is here in types that clients
//! know. The metadata is made from them.

use codec::{Compact, Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    AccountId32, MultiAddress, MultiSignature,
    generic::{self, Era, UncheckedExtrinsic},
    traits::BlakeTwo256,
};

/// What an account that exists holds at least.
pub const EXISTENTIAL_DEPOSIT: u128 = 1_000;
/// Both are part of what is signed.
pub const SPEC_VERSION: u32 = 1;
/// See [`SPEC_VERSION`].
pub const TRANSACTION_VERSION: u32 = 1;

/// A block's header.
pub type Header = generic::Header<u32, BlakeTwo256>;
/// How an account is named in a call.
pub type Address = MultiAddress<AccountId32, ()>;
/// An extrinsic: bare or signed.
pub type Extrinsic = UncheckedExtrinsic<Address, RuntimeCall, MultiSignature, Extra>;

/// What a signed extrinsic says beside its call: one part for each transaction extension that has any.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Extra {
    /// How long it is valid: the ledger knows `Immortal` alone.
    pub era: Era,
    /// How many transactions the account has sent before.
    pub nonce: Compact<u32>,
    /// What the author of the block gets: the ledger knows 0 alone.
    pub tip: Compact<u128>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum RuntimeCall {
    /// The time.
    #[codec(index = 1)]
    Timestamp(timestamp::Call),
    /// The balances.
    #[codec(index = 2)]
    Balances(balances::Call),
}

/// What a block announces.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum RuntimeEvent {
    /// Of extrinsics and accounts.
    #[codec(index = 0)]
    System(system::Event),
    /// Of balances.
    #[codec(index = 2)]
    Balances(balances::Event),
}

/// Dispatched calls never fail in the ledger: what could is refused before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum RuntimeError {}

/// Accounts, events, the block.
pub mod system {
    use super::*;
    use scale_info::{Path, Type, TypeParameter, build::Fields, meta_type};
    use sp_runtime::Weight;

    /// An account.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
    pub struct AccountInfo {
        /// How many transactions it has sent.
        pub nonce: u32,
        /// Always 0.
        pub consumers: u32,
        /// Always 1.
        pub providers: u32,
        /// Always 0.
        pub sufficients: u32,
        /// The balance.
        pub data: balances::AccountData,
    }

    impl AccountInfo {
        /// An account that holds this much and has sent nothing.
        pub fn new(free: u128) -> Self {
            let data = balances::AccountData { free, reserved: 0, frozen: 0, flags: 1 << 127 };
            AccountInfo { nonce: 0, consumers: 0, providers: 1, sufficients: 0, data }
        }
    }

    /// What is announced of extrinsics and accounts.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    pub enum Event {
        /// An extrinsic was applied.
        #[codec(index = 0)]
        ExtrinsicSuccess {
            /// What it cost.
            dispatch_info: DispatchInfo,
        },
        /// An account was made.
        #[codec(index = 3)]
        NewAccount {
            /// Whose.
            account: AccountId32,
        },
    }

    /// What an extrinsic cost.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    pub struct DispatchInfo {
        /// Always 0.
        pub weight: Weight,
        /// The timestamp's is mandatory.
        pub class: DispatchClass,
        /// Always `No`.
        pub pays_fee: Pays,
    }

    /// The class of an extrinsic.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    pub enum DispatchClass {
        /// Anyone's.
        Normal,
        /// Not used.
        Operational,
        /// The block author's.
        Mandatory,
    }

    /// Whether a fee is paid.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    pub enum Pays {
        /// Not used.
        Yes,
        /// None is.
        No,
    }

    /// When something was announced.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    pub enum Phase {
        /// While the extrinsic with this index was applied.
        ApplyExtrinsic(u32),
        /// Not used.
        Finalization,
        /// Not used.
        Initialization,
    }

    /// What was announced, and when.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
    pub struct EventRecord {
        /// When.
        pub phase: Phase,
        /// What.
        pub event: RuntimeEvent,
        /// None.
        pub topics: Vec<H256>,
    }

    // Clients look for these two under the names that they have in FRAME.

    impl TypeInfo for AccountInfo {
        type Identity = Self;

        fn type_info() -> Type {
            let parameters = vec![
                TypeParameter::new("Nonce", Some(meta_type::<u32>())),
                TypeParameter::new("AccountData", Some(meta_type::<balances::AccountData>())),
            ];
            let fields = Fields::named()
                .field(|field| field.ty::<u32>().name("nonce").type_name("Nonce"))
                .field(|field| field.ty::<u32>().name("consumers").type_name("RefCount"))
                .field(|field| field.ty::<u32>().name("providers").type_name("RefCount"))
                .field(|field| field.ty::<u32>().name("sufficients").type_name("RefCount"))
                .field(|field| field.ty::<balances::AccountData>().name("data").type_name("AccountData"));
            Type::builder().path(Path::new("AccountInfo", "frame_system")).type_params(parameters).composite(fields)
        }
    }

    impl TypeInfo for EventRecord {
        type Identity = Self;

        fn type_info() -> Type {
            let parameters = vec![
                TypeParameter::new("E", Some(meta_type::<RuntimeEvent>())),
                TypeParameter::new("T", Some(meta_type::<H256>())),
            ];
            let fields = Fields::named()
                .field(|field| field.ty::<Phase>().name("phase").type_name("Phase"))
                .field(|field| field.ty::<RuntimeEvent>().name("event").type_name("E"))
                .field(|field| field.ty::<Vec<H256>>().name("topics").type_name("Vec<T>"));
            Type::builder().path(Path::new("EventRecord", "frame_system")).type_params(parameters).composite(fields)
        }
    }
}

/// The time.
pub mod timestamp {
    use super::*;

    /// What can be called.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    #[allow(non_camel_case_types, reason = "clients know calls by these names")]
    pub enum Call {
        /// Sets the time of the block: its author's, and the first in it.
        #[codec(index = 0)]
        set {
            /// Milliseconds since 1970.
            #[codec(compact)]
            now: u64,
        },
    }
}

/// The balances.
pub mod balances {
    use super::*;

    /// A balance.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub struct AccountData {
        /// What can be transferred.
        pub free: u128,
        /// Always 0.
        pub reserved: u128,
        /// Always 0.
        pub frozen: u128,
        /// Always 2^127.
        pub flags: u128,
    }

    /// What can be called.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    #[allow(non_camel_case_types, reason = "clients know calls by these names")]
    pub enum Call {
        /// Transfers a part of the sender's balance; neither account may end below the existential deposit.
        #[codec(index = 3)]
        transfer_keep_alive {
            /// Whom.
            dest: Address,
            /// How much.
            #[codec(compact)]
            value: u128,
        },
    }

    /// What is announced.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
    pub enum Event {
        /// An account was made with a balance.
        #[codec(index = 0)]
        Endowed {
            /// Whose.
            account: AccountId32,
            /// The balance.
            free_balance: u128,
        },
        /// A transfer was made.
        #[codec(index = 2)]
        Transfer {
            /// Who paid.
            from: AccountId32,
            /// Who was paid.
            to: AccountId32,
            /// How much.
            amount: u128,
        },
    }
}

/// A transfer's call.
pub fn transfer(to: AccountId32, value: u128) -> RuntimeCall {
    RuntimeCall::Balances(balances::Call::transfer_keep_alive { dest: MultiAddress::Id(to), value })
}

/// The timestamp's call.
pub fn set_timestamp(now: u64) -> RuntimeCall {
    RuntimeCall::Timestamp(timestamp::Call::set { now })
}
