//! States to begin a chain with.

use crate::{AuraConfig, BalancesConfig, GrandpaConfig, RuntimeGenesisConfig, SudoConfig, UNIT};
use alloc::{vec, vec::Vec};
use frame::{
    deps::{frame_support::build_struct_json_patch, sp_keyring::Ed25519Keyring},
    runtime::prelude::*,
};
use serde_json::Value;

/// The well-known accounts have money, some of them are authorities, and the first of all may do everything.
fn development(authorities: &[(Sr25519Keyring, Ed25519Keyring)]) -> Value {
    let rich = Sr25519Keyring::iter().map(|who| (who.to_account_id(), 1_000_000 * UNIT));
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances: rich.collect::<Vec<_>>() },
        aura: AuraConfig {
            authorities: authorities.iter().map(|(author, _)| author.public().into()).collect::<Vec<_>>(),
        },
        grandpa: GrandpaConfig {
            authorities: authorities.iter().map(|(_, voter)| (voter.public().into(), 1)).collect::<Vec<_>>(),
        },
        sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
    })
}

/// A preset as JSON, to be merged with the defaults.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => development(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)]),
        LOCAL_TESTNET_RUNTIME_PRESET => development(&[
            (Sr25519Keyring::Alice, Ed25519Keyring::Alice),
            (Sr25519Keyring::Bob, Ed25519Keyring::Bob),
            (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
        ]),
        _ => return None,
    };
    Some(serde_json::to_vec(&patch).expect("a value that was built is written; qed"))
}

/// The names of the presets.
pub fn names() -> Vec<PresetId> {
    vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}
