//! Hash functions.

use alloc::vec::Vec;
use sp_io::hashing;

entries! {
    /// All digests of some bytes: blake2_128, blake2_256, keccak_256, keccak_512, sha2_256, twox_64, twox_128,
    /// twox_256.
    fn hash_all(data: Vec<u8>) -> Vec<Vec<u8>> {
        alloc::vec![
            hashing::blake2_128(&data).to_vec(),
            hashing::blake2_256(&data).to_vec(),
            hashing::keccak_256(&data).to_vec(),
            hashing::keccak_512(&data).to_vec(),
            hashing::sha2_256(&data).to_vec(),
            hashing::twox_64(&data).to_vec(),
            hashing::twox_128(&data).to_vec(),
            hashing::twox_256(&data).to_vec(),
        ]
    }

    /// A chain of digests: blake2_256 of the last digest, `times` over.
    fn hash_chain(seed: [u8; 32], times: u32) -> [u8; 32] {
        (0..times).fold(seed, |digest, _| hashing::blake2_256(&digest))
    }
}
