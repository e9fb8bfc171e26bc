//! The parts of a node and how they are put together: client, import queue, transaction pool, network, RPC, Aura, GRANDPA.

use crate::runtime_api::{AccountId, Block, Hash, Nonce, RuntimeApi};
use futures::FutureExt;
use heapbase_executor::Executor;
use jsonrpsee::RpcModule;
use sc_basic_authorship::ProposerFactory;
use sc_consensus_aura::{ImportQueueParams, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{GrandpaParams, SharedVoterState, VotingRulesBuilder};
use sc_network::{Litep2pNetworkBackend, NetworkBackend, config::FullNetworkConfiguration};
use sc_service::{BuildNetworkParams, Configuration, Error, SpawnTasksParams, TFullBackend, TFullClient, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::sr25519::AuthorityPair;
use std::{sync::Arc, time::Duration};
use substrate_frame_rpc_system::{System, SystemApiServer};

type Client = TFullClient<Block, RuntimeApi, Executor>;
type Backend = TFullBackend<Block>;

/// GRANDPA proves every so many blocks that they are final.
const JUSTIFICATION_PERIOD: u32 = 8;

/// Starts a node; it runs for as long as the task manager is there.
///
/// # Errors
///
/// What the parts refuse: the chain's first state, the database, the addresses.
pub(crate) fn start(config: Configuration, executor: Executor) -> Result<TaskManager, Error> {
    let (client, backend, keystore, mut task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, _>(&config, None, executor, Vec::new())?;
    let client = Arc::new(client);
    let keystore = keystore.keystore();
    let select_chain = sc_consensus::LongestChain::new(Arc::clone(&backend));
    let pool = Arc::new(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            Arc::clone(&client),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .build(),
    );

    let (block_import, grandpa_link) = sc_consensus_grandpa::block_import(
        Arc::clone(&client),
        JUSTIFICATION_PERIOD,
        &Arc::clone(&client),
        select_chain.clone(),
        None,
    )?;
    let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
    let inherents = move || async move {
        let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
        let slot = sp_consensus_aura::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
            *timestamp,
            slot_duration,
        );
        Ok((slot, timestamp))
    };
    let import_queue = sc_consensus_aura::import_queue::<AuthorityPair, _, _, _, _, _>(ImportQueueParams {
        block_import: block_import.clone(),
        justification_import: Some(Box::new(block_import.clone())),
        client: Arc::clone(&client),
        create_inherent_data_providers: move |_, ()| inherents(),
        spawner: &task_manager.spawn_essential_handle(),
        registry: None,
        check_for_equivocation: Default::default(),
        telemetry: None,
        compatibility_mode: Default::default(),
    })?;

    type Network = Litep2pNetworkBackend;
    let metrics = <Network as NetworkBackend<Block, Hash>>::register_notification_metrics(None);
    let mut net_config = FullNetworkConfiguration::<Block, Hash, Network>::new(&config.network, None);
    let genesis = client.chain_info().genesis_hash;
    let grandpa_protocol = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<Block, Network>(
        grandpa_protocol.clone(),
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(grandpa_config);
    let (network, system_rpc_tx, tx_handler_controller, sync_service) =
        sc_service::build_network(BuildNetworkParams {
            config: &config,
            net_config,
            client: Arc::clone(&client),
            transaction_pool: Arc::clone(&pool),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: None,
            block_relay: None,
            metrics,
        })?;

    let (role, name) = (config.role, config.network.node_name.clone());
    let force_authoring = config.force_authoring;
    let rpc_builder = {
        let (client, pool) = (Arc::clone(&client), Arc::clone(&pool));
        Box::new(move |_| {
            let system = System::<_, _, Block>::new(Arc::clone(&client), Arc::clone(&pool));
            let mut module = RpcModule::new(());
            module
                .merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(system))
                .map_err(|error| Error::Application(Box::new(error)))?;
            Ok(module)
        })
    };
    sc_service::spawn_tasks(SpawnTasksParams::<Block, Client, _, _, Backend> {
        config,
        client: Arc::clone(&client),
        backend,
        task_manager: &mut task_manager,
        keystore: Arc::clone(&keystore),
        transaction_pool: Arc::clone(&pool),
        rpc_builder,
        network: Arc::clone(&network),
        system_rpc_tx,
        tx_handler_controller,
        sync_service: Arc::clone(&sync_service),
        telemetry: None,
        tracing_execute_block: None,
    })?;

    if role.is_authority() {
        let proposer_factory =
            ProposerFactory::new(task_manager.spawn_handle(), Arc::clone(&client), Arc::clone(&pool), None, None);
        let aura = sc_consensus_aura::start_aura::<AuthorityPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
            slot_duration,
            client,
            select_chain,
            block_import,
            proposer_factory,
            sync_oracle: Arc::clone(&sync_service),
            justification_sync_link: Arc::clone(&sync_service),
            create_inherent_data_providers: move |_, ()| inherents(),
            force_authoring,
            backoff_authoring_blocks: None::<()>,
            keystore: Arc::clone(&keystore),
            block_proposal_slot_portion: SlotProportion::new(2.0 / 3.0),
            max_block_proposal_slot_portion: None,
            telemetry: None,
            compatibility_mode: Default::default(),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
    }

    let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
        config: sc_consensus_grandpa::Config {
            gossip_duration: Duration::from_millis(333),
            justification_generation_period: JUSTIFICATION_PERIOD,
            observer_enabled: false,
            local_role: role,
            name: Some(name),
            keystore: role.is_authority().then_some(keystore),
            telemetry: None,
            protocol_name: grandpa_protocol,
        },
        link: grandpa_link,
        network,
        sync: sync_service,
        notification_service: grandpa_notifications,
        voting_rule: VotingRulesBuilder::default().build(),
        prometheus_registry: None,
        shared_voter_state: SharedVoterState::empty(),
        telemetry: None,
        offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool),
    })?;
    task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter.map(drop));
    Ok(task_manager)
}
