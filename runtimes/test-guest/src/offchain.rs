//! What only an offchain worker may do, and the index that blocks write for it.

use alloc::vec::Vec;
use sp_core::offchain::StorageKind;
use sp_io::{offchain, offchain_index};

entries! {
    /// Writes an entry of the offchain index and removes another.
    fn offchain_index(key: Vec<u8>, value: Vec<u8>, gone: Vec<u8>) {
        offchain_index::set(&key, &value);
        offchain_index::clear(&gone);
    }

    /// Sets, exchanges, reads and clears a value of the worker's own storage: whether both exchanges went as they
    /// should, the value read, the value after clearing.
    fn offchain_local_storage(key: Vec<u8>, value: Vec<u8>) -> (bool, Option<Vec<u8>>, Option<Vec<u8>>) {
        let kind = StorageKind::PERSISTENT;
        offchain::local_storage_set(kind, &key, b"first");
        let exchanged = offchain::local_storage_compare_and_set(kind, &key, Some(b"first".to_vec()), &value)
            && !offchain::local_storage_compare_and_set(kind, &key, Some(b"first".to_vec()), b"third");
        let read = offchain::local_storage_get(kind, &key);
        offchain::local_storage_clear(kind, &key);
        (exchanged, read, offchain::local_storage_get(kind, &key))
    }

    /// What the worker's surroundings say: whether it may validate, the seed of its randomness, the time in
    /// milliseconds.
    fn offchain_context() -> (bool, [u8; 32], u64) {
        (offchain::is_validator(), offchain::random_seed(), offchain::timestamp().unix_millis())
    }
}
