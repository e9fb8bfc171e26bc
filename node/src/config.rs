//! What a person says on the command line, and all that a node wants to be told.

use clap::{Parser, ValueEnum};
use heapbase_executor::Executor;
use sc_network::{
    Multiaddr,
    config::{MultiaddrWithPeerId, NetworkConfiguration, NodeKeyConfig, Role, Secret},
};
use sc_service::{
    BasePath, BlocksPruning, ChainType, Configuration, DatabaseSource, Error, GenericChainSpec, PruningMode,
    RpcMethods,
    config::{ExecutorConfiguration, KeystoreConfig, RpcBatchRequestConfig, RpcConfiguration},
};
use std::path::PathBuf;

/// Whose executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// heapbase-host's: legacy, local and v1 runtimes.
    Heapbase,
    /// The Polkadot SDK's own: legacy and local runtimes.
    Stock,
}

impl Kind {
    /// An executor of this kind.
    pub(crate) fn executor(self) -> Executor {
        match self {
            Kind::Heapbase => Executor::heapbase(),
            Kind::Stock => Executor::stock(),
        }
    }
}

/// A node of a development network on loopback.
///
/// The chain begins with the state that a runtime makes of one of its presets: nodes with the same runtime and preset are of
/// one chain.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The runtime that the chain begins with: raw or compressed Wasm, legacy or local.
    #[arg(long, value_name = "FILE")]
    runtime: PathBuf,
    /// Which of its presets is the first state.
    #[arg(long, value_name = "NAME", default_value = "local_testnet")]
    preset: String,
    /// Who executes the runtime.
    #[arg(long, value_enum, default_value_t = Kind::Heapbase)]
    pub(crate) executor: Kind,
    /// Where blocks and keys are kept.
    #[arg(long, value_name = "FOLDER")]
    base_path: PathBuf,
    /// Makes blocks and votes with the keys of one of the well-known accounts, such as Alice.
    #[arg(long, value_name = "ACCOUNT")]
    validator: Option<String>,
    /// The port for other nodes.
    #[arg(long, default_value_t = 30_333)]
    port: u16,
    /// The port for JSON-RPC.
    #[arg(long, default_value_t = 9_944)]
    rpc_port: u16,
    /// A node to connect to, such as /ip4/127.0.0.1/tcp/30333/p2p/12D3KooW…; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    bootnode: Vec<MultiaddrWithPeerId>,
    /// What to log, as in `info,aura=debug`.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
}

impl Arguments {
    /// All that a node wants to be told.
    ///
    /// # Errors
    ///
    /// The runtime is not readable.
    pub(crate) fn configuration(self, tokio_handle: tokio::runtime::Handle) -> Result<Configuration, Error> {
        let runtime = std::fs::read(&self.runtime)
            .map_err(|error| Error::Other(format!("the runtime {}: {error}", self.runtime.display())))?;
        let chain_spec = GenericChainSpec::<sc_service::NoExtension>::builder(&runtime, None)
            .with_name("heapbase network")
            .with_id("heapbase_network")
            .with_protocol_id("heapbase")
            .with_chain_type(ChainType::Local)
            .with_genesis_config_preset_name(&self.preset)
            .build();

        let name = self.validator.clone().unwrap_or_else(|| "observer".into());
        let network_path = self.base_path.join("network");
        std::fs::create_dir_all(&network_path)?;
        let key = NodeKeyConfig::Ed25519(Secret::File(network_path.join("secret_ed25519")));
        let mut network = NetworkConfiguration::new(name, "heapbase-node", key, Some(network_path));
        let listen: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", self.port)
            .parse()
            .map_err(|error| Error::Other(format!("port {}: {error}", self.port)))?;
        network.listen_addresses = vec![listen.clone()];
        network.public_addresses = vec![listen];
        network.boot_nodes = self.bootnode;
        network.allow_non_globals_in_dht = true;

        Ok(Configuration {
            impl_name: "heapbase-node".into(),
            impl_version: env!("CARGO_PKG_VERSION").into(),
            role: if self.validator.is_some() { Role::Authority } else { Role::Full },
            tokio_handle,
            transaction_pool: Default::default(),
            network,
            keystore: KeystoreConfig::InMemory,
            database: DatabaseSource::ParityDb { path: self.base_path.join("blocks") },
            trie_cache_maximum_size: Some(16 * 1024 * 1024),
            warm_up_trie_cache: None,
            // Every state stays, so that all nodes can be asked for all of them.
            state_pruning: Some(PruningMode::ArchiveAll),
            blocks_pruning: BlocksPruning::KeepAll,
            chain_spec: Box::new(chain_spec),
            executor: ExecutorConfiguration::default(),
            wasm_runtime_overrides: None,
            rpc: RpcConfiguration {
                addr: None,
                max_connections: 100,
                cors: None,
                methods: RpcMethods::Unsafe,
                // MB: an upgrade carries a runtime, in hex.
                max_request_size: 15,
                max_response_size: 15,
                id_provider: None,
                max_subs_per_conn: 1_024,
                port: self.rpc_port,
                message_buffer_capacity: 64,
                batch_config: RpcBatchRequestConfig::Unlimited,
                rate_limit: None,
                rate_limit_whitelisted_ips: Vec::new(),
                rate_limit_trust_proxy_headers: false,
                request_logger_limit: 1_024,
            },
            prometheus_config: None,
            telemetry_endpoints: None,
            offchain_worker: Default::default(),
            force_authoring: false,
            disable_grandpa: false,
            dev_key_seed: self.validator.map(|account| format!("//{account}")),
            tracing_targets: None,
            tracing_receiver: Default::default(),
            announce_block: true,
            data_path: self.base_path.clone(),
            base_path: BasePath::new(self.base_path),
        })
    }
}
