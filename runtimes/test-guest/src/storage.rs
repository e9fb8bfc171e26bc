//! Storage of the top trie, and transactions over it.

use alloc::vec::Vec;
use codec::Decode;
use sp_core::storage::StateVersion;
use sp_io::{KillStorageResult, storage};

/// The host functions of older versions, which runtimes on chains still import. `sp-io` declares only the newest.
mod old {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub(super) fn ext_storage_root_version_1() -> u64;
        pub(super) fn ext_storage_clear_prefix_version_1(prefix: u64);
        pub(super) fn ext_storage_changes_root_version_1(parent: u64) -> u64;
    }
}

/// The layout that a number stands for.
pub(crate) fn layout(version: u8) -> StateVersion {
    StateVersion::try_from(version).expect("a state version is 0 or 1")
}

/// What was removed, as `(all gone, count)`.
pub(crate) fn removed(result: KillStorageResult) -> (bool, u32) {
    match result {
        KillStorageResult::AllRemoved(count) => (true, count),
        KillStorageResult::SomeRemaining(count) => (false, count),
    }
}

/// Keys from `prefix` on that start with it, by asking for one after the other.
pub(crate) fn keys(prefix: Vec<u8>, mut next: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut last = prefix.clone();
    while let Some(key) = next(&last).filter(|key| key.starts_with(&prefix)) {
        last.clone_from(&key);
        keys.push(key);
    }
    keys
}

/// Takes a buffer that an undeclared host function returned.
fn taken(packed: u64) -> Vec<u8> {
    let (address, length) = (packed as u32 as *mut u8, (packed >> 32) as usize);
    // SAFETY: the host allocated the block with this module's allocator spec and passed it on; nobody else knows it.
    unsafe { Vec::from_raw_parts(address, length, length) }
}

entries! {
    /// Writes pairs of key and value.
    fn storage_set(pairs: Vec<(Vec<u8>, Vec<u8>)>) {
        pairs.iter().for_each(|(key, value)| storage::set(key, value));
    }

    /// The value of a key.
    fn storage_get(key: Vec<u8>) -> Option<Vec<u8>> {
        storage::get(&key).map(|value| value.to_vec())
    }

    /// Reads at most `room` bytes of a value from `offset` on: what the host says is there, and the buffer.
    fn storage_read(key: Vec<u8>, offset: u32, room: u32) -> (Option<u32>, Vec<u8>) {
        let mut buffer = alloc::vec![0xee; room as usize];
        (storage::read(&key, &mut buffer, offset), buffer)
    }

    /// Whether a key has a value.
    fn storage_exists(key: Vec<u8>) -> bool {
        storage::exists(&key)
    }

    /// Removes a key.
    fn storage_clear(key: Vec<u8>) {
        storage::clear(&key);
    }

    /// Removes the keys with a prefix, at most `limit` of them from the backend.
    fn storage_clear_prefix(prefix: Vec<u8>, limit: Option<u32>) -> (bool, u32) {
        removed(storage::clear_prefix(&prefix, limit))
    }

    /// The same through version 1 of the host function, without limit.
    fn storage_clear_prefix_old(prefix: Vec<u8>) {
        let packed = sp_runtime_interface::pack_ptr_and_len(prefix.as_ptr() as u32, prefix.len() as u32);
        // SAFETY: `prefix` outlives the call.
        unsafe { old::ext_storage_clear_prefix_version_1(packed) }
    }

    /// All keys with a prefix, in order.
    fn storage_keys(prefix: Vec<u8>) -> Vec<Vec<u8>> {
        keys(prefix, storage::next_key)
    }

    /// Appends encoded items to the encoded list at a key, and returns the value after.
    fn storage_append(key: Vec<u8>, items: Vec<Vec<u8>>) -> Vec<u8> {
        items.into_iter().for_each(|item| storage::append(&key, item));
        storage::get(&key).expect("appending creates a value").to_vec()
    }

    /// The root of the state as it would be committed now.
    fn storage_root(version: u8) -> Vec<u8> {
        storage::root(layout(version))
    }

    /// The root through version 1 of the host function.
    fn storage_root_old() -> Vec<u8> {
        // SAFETY: the host function takes nothing and returns a buffer of its own.
        taken(unsafe { old::ext_storage_root_version_1() })
    }

    /// The root of changes, which hosts answer with `None` nowadays.
    fn storage_changes_root() -> Option<Vec<u8>> {
        let parent = [7u8; 32];
        let packed = sp_runtime_interface::pack_ptr_and_len(parent.as_ptr() as u32, 32);
        // SAFETY: `parent` outlives the call, which returns a buffer of its own.
        let encoded = taken(unsafe { old::ext_storage_changes_root_version_1(packed) });
        Option::decode(&mut &encoded[..]).expect("the host encodes an optional hash")
    }

    /// Nested transactions, one rolled back and one committed: the values seen on the way.
    fn storage_transactions(key: Vec<u8>) -> Vec<Option<Vec<u8>>> {
        let mut seen = Vec::new();
        let mut look = || seen.push(storage::get(&key).map(|value| value.to_vec()));
        storage::set(&key, b"outer");
        look();
        storage::start_transaction();
        storage::set(&key, b"committed");
        storage::start_transaction();
        storage::clear(&key);
        look();
        storage::start_transaction();
        storage::set(&key, b"innermost");
        look();
        storage::commit_transaction();
        look();
        storage::rollback_transaction();
        look();
        storage::commit_transaction();
        look();
        seen
    }

    /// Ends a transaction that was never started: the host function fails.
    fn storage_unbalanced(commit: bool) {
        if commit { storage::commit_transaction() } else { storage::rollback_transaction() }
    }

    /// Writes one key, begins a transaction, writes another and leaves it open.
    fn storage_left_open(before: Vec<u8>, within: Vec<u8>) {
        storage::set(&before, &before);
        storage::start_transaction();
        storage::set(&within, &within);
    }

    /// Writes a key and panics.
    fn storage_set_then_panic(key: Vec<u8>, value: Vec<u8>) {
        storage::set(&key, &value);
        panic!("after writing");
    }

    /// Reads one value again and again, keeps every second copy alive, and counts the copies that are not intact at
    /// the end: buffers of the host and of the runtime interleave on one heap.
    fn storage_copies(key: Vec<u8>, times: u32) -> u32 {
        let first = storage::get(&key).expect("the test wrote a value");
        let mut kept = Vec::new();
        for round in 0..times {
            let copy = storage::get(&key).expect("the test wrote a value");
            let own: Vec<u8> = copy.iter().map(|byte| byte ^ round as u8).collect();
            if round % 2 == 0 {
                kept.push((round as u8, copy, own));
            }
        }
        let intact = |(mask, copy, own): &&(u8, _, Vec<u8>)| {
            *copy == first && own.iter().zip(first.iter()).all(|(own, byte)| *own == byte ^ mask)
        };
        (kept.len() - kept.iter().filter(intact).count()) as u32
    }

    /// Indexes a transaction and renews it.
    fn transaction_index(extrinsic: u32, size: u32, hash: [u8; 32]) {
        sp_io::transaction_index::index(extrinsic, size, hash);
        sp_io::transaction_index::renew(extrinsic + 1, hash);
    }
}
