//! The names behind the identifiers of runtime APIs. An identifier is a hash of the trait's name, so only names that
//! are known beforehand can be told.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Traits of the Polkadot SDK, and of Frontier, ORML and a few chains.
const NAMES: &[&str] = &[
    // Every runtime
    "Core",
    "Metadata",
    "BlockBuilder",
    "TaggedTransactionQueue",
    "OffchainWorkerApi",
    "SessionKeys",
    "GenesisBuilder",
    "AccountNonceApi",
    "TransactionPaymentApi",
    "TransactionPaymentCallApi",
    "ValidateStatement",
    "RuntimeViewFunction",
    "Benchmark",
    "TryRuntime",
    // Consensus
    "AuraApi",
    "BabeApi",
    "GrandpaApi",
    "BeefyApi",
    "BeefyMmrApi",
    "MmrApi",
    "SassafrasApi",
    "DifficultyApi",
    "TimestampApi",
    "AuthorityDiscoveryApi",
    "MixnetApi",
    // Relay chain and parachains
    "ParachainHost",
    "CollectCollationInfo",
    "AuraUnincludedSegmentApi",
    "GetParachainInfo",
    "RelayParentOffsetApi",
    "GetCoreSelectorApi",
    // Pallets
    "StakingApi",
    "NominationPoolsApi",
    "AssetsApi",
    "FungiblesApi",
    "NftsApi",
    "AssetConversionApi",
    "AssetRewards",
    "ContractsApi",
    "ReviveApi",
    "TransactionStorageApi",
    // XCM and bridges
    "XcmPaymentApi",
    "DryRunApi",
    "LocationToAccountApi",
    "TrustedQueryApi",
    "AuthorizedAliasersApi",
    "OutboundQueueApi",
    "ControlApi",
    "BridgeHubKusamaFinalityApi",
    "BridgeHubPolkadotFinalityApi",
    "BridgeHubRococoFinalityApi",
    "BridgeHubWestendFinalityApi",
    "BridgeHubWococoFinalityApi",
    "FromBridgeHubRococoInboundLaneApi",
    "FromBridgeHubWococoInboundLaneApi",
    "KusamaFinalityApi",
    "PolkadotFinalityApi",
    "RococoFinalityApi",
    "ToBridgeHubRococoOutboundLaneApi",
    "ToBridgeHubWococoOutboundLaneApi",
    "WestendFinalityApi",
    "WococoFinalityApi",
    // Frontier, ORML, Moonbeam, Acala, Encointer
    "ConvertTransactionRuntimeApi",
    "DebugRuntimeApi",
    "EthereumRuntimeRPCApi",
    "TxPoolRuntimeApi",
    "OracleApi",
    "TokensApi",
    "NimbusApi",
    "EVMRuntimeRPCApi",
    "EVMTraceApi",
    "BalancesTxPaymentApi",
    "BazaarApi",
    "CeremoniesApi",
    "CommunitiesApi",
    "TreasuriesApi",
];

/// The name behind an identifier, where it is a known one.
pub(super) fn name(id: [u8; 8]) -> Option<&'static str> {
    static BY_ID: LazyLock<HashMap<[u8; 8], &'static str>> =
        LazyLock::new(|| NAMES.iter().map(|name| (sp_crypto_hashing::blake2_64(name.as_bytes()), *name)).collect());
    BY_ID.get(&id).copied()
}
