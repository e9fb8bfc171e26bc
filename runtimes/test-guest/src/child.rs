//! Storage of child tries.

use crate::storage::{keys, layout, removed};
use alloc::vec::Vec;
use sp_io::default_child_storage as child;

entries! {
    /// Writes pairs of key and value into a child trie.
    fn child_set(trie: Vec<u8>, pairs: Vec<(Vec<u8>, Vec<u8>)>) {
        pairs.iter().for_each(|(key, value)| child::set(&trie, key, value));
    }

    /// The value of a key.
    fn child_get(trie: Vec<u8>, key: Vec<u8>) -> Option<Vec<u8>> {
        child::get(&trie, &key)
    }

    /// Reads at most `room` bytes of a value from `offset` on: what the host says is there, and the buffer.
    fn child_read(trie: Vec<u8>, key: Vec<u8>, offset: u32, room: u32) -> (Option<u32>, Vec<u8>) {
        let mut buffer = alloc::vec![0xee; room as usize];
        (child::read(&trie, &key, &mut buffer, offset), buffer)
    }

    /// Whether a key has a value.
    fn child_exists(trie: Vec<u8>, key: Vec<u8>) -> bool {
        child::exists(&trie, &key)
    }

    /// Removes a key.
    fn child_clear(trie: Vec<u8>, key: Vec<u8>) {
        child::clear(&trie, &key);
    }

    /// Removes the keys with a prefix, at most `limit` of them from the backend.
    fn child_clear_prefix(trie: Vec<u8>, prefix: Vec<u8>, limit: Option<u32>) -> (bool, u32) {
        removed(child::clear_prefix(&trie, &prefix, limit))
    }

    /// Removes the whole child trie, at most `limit` keys of the backend.
    fn child_kill(trie: Vec<u8>, limit: Option<u32>) -> (bool, u32) {
        removed(child::storage_kill(&trie, limit))
    }

    /// All keys with a prefix, in order.
    fn child_keys(trie: Vec<u8>, prefix: Vec<u8>) -> Vec<Vec<u8>> {
        keys(prefix, |last| child::next_key(&trie, last))
    }

    /// The root of a child trie.
    fn child_root(trie: Vec<u8>, version: u8) -> Vec<u8> {
        child::root(&trie, layout(version))
    }
}
