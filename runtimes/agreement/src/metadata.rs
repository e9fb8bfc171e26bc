//! The metadata: what clients read to know calls, events and storage. Made from the types of [`crate::chain`].

use crate::chain::{self, EXISTENTIAL_DEPOSIT};
use codec::{Compact, Encode};
use scale_info::{TypeInfo, meta_type};
use sp_core::H256;
use sp_metadata_ir::{
    EnumDeprecationInfoIR, ExtrinsicMetadataIR, ItemDeprecationInfoIR, MetadataIR, OuterEnumsIR, PalletCallMetadataIR,
    PalletConstantMetadataIR, PalletEventMetadataIR, PalletMetadataIR, PalletStorageMetadataIR, RuntimeApiMetadataIR,
    RuntimeApiMethodMetadataIR, RuntimeApiMethodParamMetadataIR, StorageEntryMetadataIR, StorageEntryModifierIR,
    StorageEntryTypeIR, StorageHasherIR, TransactionExtensionMetadataIR,
};
use sp_runtime::{
    AccountId32, Digest, MultiSignature,
    generic::Era,
    transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_version::RuntimeVersion;

/// The versions that a ledger knows.
pub const VERSIONS: [u32; 2] = [14, 15];

/// The metadata in one of [`VERSIONS`], as a ledger embeds it: with the magic `meta` and the version in front.
///
/// # Panics
/// Where the version is another.
pub fn encoded(version: u32) -> Vec<u8> {
    sp_metadata_ir::into_version(description(), version).expect("is one of VERSIONS").encode()
}

fn description() -> MetadataIR {
    MetadataIR {
        pallets: vec![system(), timestamp(), balances()],
        extrinsic: extrinsic(),
        ty: meta_type::<chain::Extrinsic>(),
        apis: apis(),
        outer_enums: OuterEnumsIR {
            call_enum_ty: meta_type::<chain::RuntimeCall>(),
            event_enum_ty: meta_type::<chain::RuntimeEvent>(),
            error_enum_ty: meta_type::<chain::RuntimeError>(),
        },
    }
}

fn system() -> PalletMetadataIR {
    let account = chain::system::AccountInfo::new(0);
    // What clients take where an account is not there.
    let nobody = chain::system::AccountInfo {
        providers: 0,
        data: chain::balances::AccountData { flags: 0, ..account.data },
        ..account
    };
    let entries = vec![
        map::<AccountId32>("Account", StorageHasherIR::Blake2_128Concat, nobody, "Accounts."),
        map::<u32>("BlockHash", StorageHasherIR::Twox64Concat, H256::zero(), "The hash of the block 0."),
        plain("Number", 0u32, "The number of the last block."),
        plain("ParentHash", H256::zero(), "The hash of the block before."),
        plain("Digest", Digest::default(), "The digest of the last block."),
        plain("Events", Vec::<chain::system::EventRecord>::new(), "What the last block announced."),
        plain("ExtrinsicsRoot", H256(crate::model::EMPTY_ROOT), "The root of the last block's extrinsics."),
    ];
    let version = crate::model::version();
    let constants = vec![
        constant("BlockHashCount", 1u32, "How many hashes of blocks are kept: that of the block 0."),
        constant("Version", version, "The runtime's version."),
        constant("SS58Prefix", 42u16, "How addresses are written."),
    ];
    PalletMetadataIR {
        event: Some(event::<chain::system::Event>()),
        constants,
        ..pallet("System", 0, entries, "Accounts, events, the block.")
    }
}

fn timestamp() -> PalletMetadataIR {
    let entries = vec![plain("Now", 0u64, "The time of the last block, in milliseconds since 1970.")];
    PalletMetadataIR { calls: Some(call::<chain::timestamp::Call>()), ..pallet("Timestamp", 1, entries, "The time.") }
}

fn balances() -> PalletMetadataIR {
    let entries = vec![plain("TotalIssuance", 0u128, "The sum of all balances.")];
    PalletMetadataIR {
        calls: Some(call::<chain::balances::Call>()),
        event: Some(event::<chain::balances::Event>()),
        constants: vec![constant("ExistentialDeposit", EXISTENTIAL_DEPOSIT, "What an account holds at least.")],
        ..pallet("Balances", 2, entries, "Balances and transfers.")
    }
}

fn extrinsic() -> ExtrinsicMetadataIR {
    let extensions = vec![
        extension::<(), u32>("CheckSpecVersion"),
        extension::<(), u32>("CheckTxVersion"),
        extension::<(), H256>("CheckGenesis"),
        extension::<Era, H256>("CheckMortality"),
        extension::<Compact<u32>, ()>("CheckNonce"),
        extension::<Compact<u128>, ()>("ChargeTransactionPayment"),
    ];
    ExtrinsicMetadataIR {
        ty: meta_type::<chain::Extrinsic>(),
        versions: vec![4],
        address_ty: meta_type::<chain::Address>(),
        call_ty: meta_type::<chain::RuntimeCall>(),
        signature_ty: meta_type::<MultiSignature>(),
        extra_ty: meta_type::<chain::Extra>(),
        extensions_by_version: [(0, (0..extensions.len() as u32).collect())].into(),
        extensions_in_versions: extensions,
    }
}

/// The interfaces that clients call; of the others, nodes know the types.
fn apis() -> Vec<RuntimeApiMetadataIR> {
    vec![
        api("Core", 5, vec![method::<RuntimeVersion>("version", vec![])]),
        api(
            "Metadata",
            2,
            vec![
                method::<Vec<u8>>("metadata", vec![]),
                method::<Option<Vec<u8>>>("metadata_at_version", vec![input::<u32>("version")]),
                method::<Vec<u32>>("metadata_versions", vec![]),
            ],
        ),
        api(
            "TaggedTransactionQueue",
            3,
            vec![method::<TransactionValidity>(
                "validate_transaction",
                vec![
                    input::<TransactionSource>("source"),
                    input::<chain::Extrinsic>("tx"),
                    input::<H256>("block_hash"),
                ],
            )],
        ),
        api("AccountNonceApi", 1, vec![method::<u32>("account_nonce", vec![input::<AccountId32>("account")])]),
        api(
            "GenesisBuilder",
            1,
            vec![
                method::<Result<(), String>>("build_state", vec![input::<Vec<u8>>("json")]),
                method::<Option<Vec<u8>>>("get_preset", vec![input::<Option<String>>("id")]),
                method::<Vec<String>>("preset_names", vec![]),
            ],
        ),
    ]
}

fn pallet(
    name: &'static str,
    index: u8,
    entries: Vec<StorageEntryMetadataIR>,
    about: &'static str,
) -> PalletMetadataIR {
    PalletMetadataIR {
        name,
        storage: Some(PalletStorageMetadataIR { prefix: name, entries }),
        calls: None,
        view_functions: vec![],
        event: None,
        constants: vec![],
        error: None,
        associated_types: vec![],
        index,
        docs: vec![about],
        deprecation_info: ItemDeprecationInfoIR::NotDeprecated,
    }
}

fn entry(name: &'static str, ty: StorageEntryTypeIR, default: Vec<u8>, about: &'static str) -> StorageEntryMetadataIR {
    StorageEntryMetadataIR {
        name,
        modifier: StorageEntryModifierIR::Default,
        ty,
        default,
        docs: vec![about],
        deprecation_info: ItemDeprecationInfoIR::NotDeprecated,
    }
}

fn plain<V: TypeInfo + Encode + 'static>(
    name: &'static str,
    default: V,
    about: &'static str,
) -> StorageEntryMetadataIR {
    entry(name, StorageEntryTypeIR::Plain(meta_type::<V>()), default.encode(), about)
}

fn map<K: TypeInfo + 'static>(
    name: &'static str,
    hasher: StorageHasherIR,
    default: impl TypeInfo + Encode + 'static,
    about: &'static str,
) -> StorageEntryMetadataIR {
    fn of<V: TypeInfo + 'static>(_: &V) -> scale_info::MetaType {
        meta_type::<V>()
    }
    let ty = StorageEntryTypeIR::Map { hashers: vec![hasher], key: meta_type::<K>(), value: of(&default) };
    entry(name, ty, default.encode(), about)
}

fn constant<V: TypeInfo + Encode + 'static>(
    name: &'static str,
    value: V,
    about: &'static str,
) -> PalletConstantMetadataIR {
    PalletConstantMetadataIR {
        name,
        ty: meta_type::<V>(),
        value: value.encode(),
        docs: vec![about],
        deprecation_info: ItemDeprecationInfoIR::NotDeprecated,
    }
}

fn call<T: TypeInfo + 'static>() -> PalletCallMetadataIR {
    PalletCallMetadataIR { ty: meta_type::<T>(), deprecation_info: EnumDeprecationInfoIR::nothing_deprecated() }
}

fn event<T: TypeInfo + 'static>() -> PalletEventMetadataIR {
    PalletEventMetadataIR { ty: meta_type::<T>(), deprecation_info: EnumDeprecationInfoIR::nothing_deprecated() }
}

/// A transaction extension: what it adds to the extrinsic, and what it adds to what is signed.
fn extension<T: TypeInfo + 'static, I: TypeInfo + 'static>(identifier: &'static str) -> TransactionExtensionMetadataIR {
    TransactionExtensionMetadataIR { identifier, ty: meta_type::<T>(), implicit: meta_type::<I>() }
}

fn api(name: &'static str, version: u32, methods: Vec<RuntimeApiMethodMetadataIR>) -> RuntimeApiMetadataIR {
    RuntimeApiMetadataIR {
        name,
        methods,
        docs: vec![],
        deprecation_info: ItemDeprecationInfoIR::NotDeprecated,
        version: Compact(version),
    }
}

fn method<T: TypeInfo + 'static>(
    name: &'static str,
    inputs: Vec<RuntimeApiMethodParamMetadataIR>,
) -> RuntimeApiMethodMetadataIR {
    RuntimeApiMethodMetadataIR {
        name,
        inputs,
        output: meta_type::<T>(),
        docs: vec![],
        deprecation_info: ItemDeprecationInfoIR::NotDeprecated,
    }
}

fn input<T: TypeInfo + 'static>(name: &'static str) -> RuntimeApiMethodParamMetadataIR {
    RuntimeApiMethodParamMetadataIR { name, ty: meta_type::<T>() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{
            RuntimeEvent,
            system::{AccountInfo, EventRecord},
        },
        languages::metadata_file,
        model::{account_key, key},
        scene::Scene,
    };
    use codec::{Decode, DecodeAll};
    use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};

    #[test]
    fn what_the_ledgers_embed_is_what_the_types_say() {
        for version in VERSIONS {
            let file = metadata_file(version);
            let embedded = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert!(
                embedded == encoded(version),
                "{} is out of date: `cargo run --bin metadata` in runtimes/agreement writes it anew",
                file.display()
            );
        }
    }

    #[test]
    fn clients_find_what_they_look_for() {
        let decode = |version| RuntimeMetadataPrefixed::decode_all(&mut &encoded(version)[..]).expect("is metadata").1;
        let RuntimeMetadata::V14(old) = decode(14) else { panic!("is not version 14") };
        let RuntimeMetadata::V15(new) = decode(15) else { panic!("is not version 15") };
        assert_eq!((old.extrinsic.version, new.extrinsic.version), (4, 4));
        let extensions: Vec<_> =
            old.extrinsic.signed_extensions.iter().map(|extension| &extension.identifier).collect();
        assert_eq!(extensions.len(), 6);
        assert_eq!(new.apis.len(), 5);
        let pallets: Vec<_> = old.pallets.iter().map(|pallet| (pallet.name.as_str(), pallet.index)).collect();
        assert_eq!(pallets, [("System", 0), ("Timestamp", 1), ("Balances", 2)]);
    }

    /// What blocks leave in the state is what the metadata promises.
    #[test]
    fn the_state_decodes() {
        let mut scene = Scene::new(7);
        let mut transfers = 0;
        for _ in 0..20 {
            let draft = scene.draft(8);
            scene.follow(&draft);
            let events = &scene.ledger.storage[&key("System", "Events")];
            let events = Vec::<EventRecord>::decode_all(&mut &events[..]).expect("are events");
            let is_transfer = |record: &&EventRecord| {
                matches!(record.event, RuntimeEvent::Balances(crate::chain::balances::Event::Transfer { .. }))
            };
            assert_eq!(events.iter().filter(is_transfer).count(), draft.extrinsics.len() - 1);
            transfers += draft.extrinsics.len() - 1;
        }
        assert!(transfers > 50, "{transfers} transfers say little");
        let accounts: Vec<AccountInfo> = scene
            .keys
            .iter()
            .filter_map(|key| scene.ledger.storage.get(&account_key(&key.id)))
            .map(|account| AccountInfo::decode(&mut &account[..]).expect("is an account"))
            .collect();
        let total: u128 = accounts.iter().map(|account| account.data.free).sum();
        assert_eq!(scene.ledger.storage[&key("Balances", "TotalIssuance")], total.encode());
    }
}
