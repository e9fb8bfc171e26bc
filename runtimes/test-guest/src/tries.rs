//! Roots and proofs of tries that a runtime computes from values.

use crate::storage::layout;
use alloc::vec::Vec;
use sp_core::H256;
use sp_io::trie;

entries! {
    /// Roots of a trie of pairs: with BLAKE2-256 and with Keccak-256.
    fn trie_roots(pairs: Vec<(Vec<u8>, Vec<u8>)>, version: u8) -> (H256, H256) {
        (trie::blake2_256_root(pairs.clone(), layout(version)), trie::keccak_256_root(pairs, layout(version)))
    }

    /// Roots of a trie of values enumerated from 0: with BLAKE2-256 and with Keccak-256.
    fn trie_ordered_roots(values: Vec<Vec<u8>>, version: u8) -> (H256, H256) {
        (
            trie::blake2_256_ordered_root(values.clone(), layout(version)),
            trie::keccak_256_ordered_root(values, layout(version)),
        )
    }

    /// Whether a proof shows that `key` has `value` under `root`.
    fn trie_verify_proof(root: H256, proof: Vec<Vec<u8>>, key: Vec<u8>, value: Vec<u8>, version: u8) -> bool {
        trie::blake2_256_verify_proof(root, &proof, &key, &value, layout(version))
    }
}
