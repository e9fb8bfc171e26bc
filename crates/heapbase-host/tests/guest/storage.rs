//! Storage of the top trie and of child tries, transactions, roots.

use crate::subjects::{Subject, each};
use codec::Encode;
use heapbase_host::{Cause, Hasher, State};
use sp_core::storage::{ChildInfo, StateVersion, Storage, StorageChild};
use sp_trie::{LayoutV1, TrieConfiguration};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Keys that share prefixes, values from nothing to more than a node of the trie holds.
fn pairs() -> Pairs {
    let mut pairs: Pairs =
        (0..40u8).map(|number| (vec![b'k', number / 10, number], vec![number; usize::from(number) * 3])).collect();
    pairs.push((b"other".to_vec(), vec![7; 5_000]));
    pairs
}

fn state_of(pairs: &Pairs, children: &[(&[u8], &Pairs)], version: StateVersion) -> State {
    let child = |(name, pairs): &(&[u8], &Pairs)| {
        let data = pairs.iter().cloned().collect();
        (name.to_vec(), StorageChild { data, child_info: ChildInfo::new_default(name) })
    };
    let storage =
        Storage { top: pairs.iter().cloned().collect(), children_default: children.iter().map(child).collect() };
    State::new(storage, version)
}

fn filled(subject: &Subject) -> State {
    let mut state = State::default();
    subject.commit::<()>(&mut state, "storage_set", pairs());
    state
}

#[test]
fn what_is_set_can_be_read() {
    each(|subject| {
        let state = filled(subject);
        for (key, value) in pairs() {
            assert_eq!(state.get(&key), Some(value.clone()), "{}", subject.name);
            assert_eq!(subject.on::<Option<Vec<u8>>>(&state, "storage_get", &key).0, Some(value), "{}", subject.name);
            assert!(subject.on::<bool>(&state, "storage_exists", &key).0);
        }
        assert_eq!(subject.on::<Option<Vec<u8>>>(&state, "storage_get", b"none".to_vec()).0, None);
        assert!(!subject.on::<bool>(&state, "storage_exists", b"none".to_vec()).0);
    });
}

#[test]
fn parts_of_a_value() {
    each(|subject| {
        let state = filled(subject);
        let read = |key: &[u8], offset: u32, room: u32| {
            subject.on::<(Option<u32>, Vec<u8>)>(&state, "storage_read", (key, offset, room)).0
        };
        assert_eq!(read(b"none", 0, 3), (None, vec![0xee; 3]));
        assert_eq!(read(&[b'k', 0, 2], 0, 8), (Some(6), vec![2, 2, 2, 2, 2, 2, 0xee, 0xee]));
        assert_eq!(read(&[b'k', 0, 2], 4, 1), (Some(2), vec![2]));
        assert_eq!(read(&[b'k', 0, 2], 6, 1), (Some(0), vec![0xee]));
        assert_eq!(read(&[b'k', 0, 2], u32::MAX, 1), (Some(0), vec![0xee]));
        assert_eq!(read(b"other", 0, 0), (Some(5_000), vec![]));
    });
}

#[test]
fn keys_in_order() {
    each(|subject| {
        let state = filled(subject);
        let keys = |prefix: &[u8]| subject.on::<Vec<Vec<u8>>>(&state, "storage_keys", prefix).0;
        let all: Vec<_> = pairs().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys(b""), all);
        assert_eq!(keys(&[b'k', 2]), all[20..30]);
        assert_eq!(keys(b"z"), Vec::<Vec<u8>>::new());
    });
}

#[test]
fn what_is_cleared_is_gone() {
    each(|subject| {
        let mut state = filled(subject);
        subject.commit::<()>(&mut state, "storage_clear", b"other".to_vec());
        let mut left = pairs();
        left.pop();
        assert_eq!(state.root(), state_of(&left, &[], StateVersion::V1).root(), "{}", subject.name);

        let gone = subject.commit::<(bool, u32)>(&mut state, "storage_clear_prefix", (vec![b'k', 1], None::<u32>));
        assert_eq!(gone, (true, 10), "{}", subject.name);
        left.drain(10..20);
        assert_eq!(state.root(), state_of(&left, &[], StateVersion::V1).root());

        // A limit counts what lies in the backend; there is more.
        let some = subject.commit::<(bool, u32)>(&mut state, "storage_clear_prefix", (vec![b'k', 2], Some(4u32)));
        assert_eq!(some, (false, 4), "{}", subject.name);
        left.drain(10..14);
        assert_eq!(state.root(), state_of(&left, &[], StateVersion::V1).root());

        subject.commit::<()>(&mut state, "storage_clear_prefix_old", b"k".to_vec());
        assert_eq!(state.root(), State::default().root(), "{}", subject.name);
    });
}

#[test]
fn lists_grow_by_appending() {
    each(|subject| {
        let items: Vec<Vec<u8>> = (0..100u16).map(|number| number.encode()).collect();
        let mut state = State::default();
        let first = subject.commit::<Vec<u8>>(&mut state, "storage_append", ("list", &items[..60]));
        assert_eq!(first, (0..60u16).collect::<Vec<_>>().encode(), "{}", subject.name);
        let second = subject.commit::<Vec<u8>>(&mut state, "storage_append", ("list", &items[60..]));
        assert_eq!(second, (0..100u16).collect::<Vec<_>>().encode(), "{}", subject.name);
        assert_eq!(state.get(b"list"), Some(second));
    });
}

#[test]
fn roots_of_both_layouts() {
    each(|subject| {
        let expected = |version| state_of(&pairs(), &[], version).root().encode();
        let in_call = |entry: &str, arguments: Vec<u8>, version| {
            // The runtime asks for the root of what it has just written, nothing of which is committed.
            let state = state_of(&pairs(), &[], version);
            subject.runtime.call(entry, &arguments).on(&state).expect("a root can be computed").output
        };
        assert_eq!(in_call("storage_root", 0u8.encode(), StateVersion::V0), expected(StateVersion::V0).encode());
        assert_eq!(in_call("storage_root", 1u8.encode(), StateVersion::V1), expected(StateVersion::V1).encode());
        assert_eq!(in_call("storage_root_old", vec![], StateVersion::V0), expected(StateVersion::V0).encode());
        assert_ne!(expected(StateVersion::V0), expected(StateVersion::V1));
        assert_eq!(subject.get::<Option<Vec<u8>>>("storage_changes_root", ()), None);
    });
}

#[test]
fn nested_transactions() {
    each(|subject| {
        let mut state = State::default();
        let seen = subject.commit::<Vec<Option<Vec<u8>>>>(&mut state, "storage_transactions", b"key".to_vec());
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let expected =
            [text("outer"), None, text("innermost"), text("innermost"), text("committed"), text("committed")];
        assert_eq!(seen, expected, "{}", subject.name);
        assert_eq!(state.get(b"key"), text("committed"), "{}", subject.name);
    });
}

#[test]
fn a_transaction_that_was_never_begun() {
    each(|subject| {
        for commit in [false, true] {
            let error = subject.error("storage_unbalanced", commit);
            assert!(matches!(error.cause, Cause::HostFunction(_)), "{}: {error:?}", subject.name);
            let name = error.host_function.unwrap_or_default();
            assert!(name.contains(if commit { "commit" } else { "rollback" }), "{}: {name}", subject.name);
        }
    });
}

#[test]
fn a_transaction_that_is_left_open() {
    each(|subject| {
        let mut state = State::default();
        subject.commit::<()>(&mut state, "storage_left_open", ("before", "within"));
        assert_eq!(state.get(b"before"), Some(b"before".to_vec()), "{}", subject.name);
        assert_eq!(state.get(b"within"), None, "{}: what is not committed is rolled back", subject.name);
    });
}

#[test]
fn a_failed_call_changes_nothing() {
    each(|subject| {
        let state = filled(subject);
        let root = state.root();
        let arguments = ("key", "value").encode();
        let error = subject.runtime.call("storage_set_then_panic", &arguments).on(&state);
        assert!(error.is_err(), "{}", subject.name);
        assert_eq!((state.root(), state.get(b"key")), (root, None), "{}", subject.name);
    });
}

#[test]
fn many_buffers_of_the_host() {
    each(|subject| {
        for size in [0usize, 1, 8, 1_000, 70_000] {
            let value: Vec<u8> = (0..size).map(|at| at as u8).collect();
            let state = state_of(&vec![(b"key".to_vec(), value)], &[], StateVersion::V1);
            let damaged = subject.on::<u32>(&state, "storage_copies", ("key", 60u32)).0;
            assert_eq!(damaged, 0, "{}: copies of {size} bytes", subject.name);
        }
    });
}

#[test]
fn child_tries() {
    let (one, two): (&[u8], &[u8]) = (b"one", b"two");
    each(|subject| {
        let mut state = State::default();
        subject.commit::<()>(&mut state, "child_set", (one, pairs()));
        subject.commit::<()>(&mut state, "child_set", (two, &pairs()[..5]));
        let few: Pairs = pairs()[..5].to_vec();
        let both = state_of(&vec![], &[(one, &pairs()), (two, &few)], StateVersion::V1);
        assert_eq!(state.root(), both.root(), "{}", subject.name);

        let root_of = |pairs: &Pairs| LayoutV1::<Hasher>::trie_root(pairs.clone()).encode();
        assert_eq!(subject.on::<Vec<u8>>(&state, "child_root", (one, 1u8)).0, root_of(&pairs()), "{}", subject.name);
        assert_eq!(subject.on::<Vec<u8>>(&state, "child_root", (two, 1u8)).0, root_of(&few), "{}", subject.name);

        let (key, value) = pairs().remove(3);
        assert_eq!(subject.on::<Option<Vec<u8>>>(&state, "child_get", (one, &key)).0, Some(value));
        assert_eq!(subject.on::<Option<Vec<u8>>>(&state, "child_get", (two, "other")).0, None);
        assert_eq!(subject.on::<Option<Vec<u8>>>(&state, "storage_get", &key).0, None, "the top trie is another");
        assert!(subject.on::<bool>(&state, "child_exists", (two, &key)).0);
        let part = subject.on::<(Option<u32>, Vec<u8>)>(&state, "child_read", (one, &key, 4u32, 9u32)).0;
        assert_eq!(part, (Some(5), vec![3, 3, 3, 3, 3, 0xee, 0xee, 0xee, 0xee]), "{}", subject.name);
        let keys = subject.on::<Vec<Vec<u8>>>(&state, "child_keys", (one, vec![b'k', 3])).0;
        assert_eq!(keys, pairs()[30..40].iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());

        subject.commit::<()>(&mut state, "child_clear", (two, &key));
        assert!(!subject.on::<bool>(&state, "child_exists", (two, &key)).0);
        let gone = subject.commit::<(bool, u32)>(&mut state, "child_clear_prefix", (one, vec![b'k', 0], None::<u32>));
        assert_eq!(gone, (true, 10), "{}", subject.name);
        let some = subject.commit::<(bool, u32)>(&mut state, "child_kill", (one, Some(7u32)));
        assert_eq!(some, (false, 7), "{}", subject.name);
        let all = subject.commit::<(bool, u32)>(&mut state, "child_kill", (one, None::<u32>));
        assert_eq!(all, (true, 24), "{}", subject.name);
        subject.commit::<(bool, u32)>(&mut state, "child_kill", (two, None::<u32>));
        assert_eq!(state.root(), State::default().root(), "{}", subject.name);
    });
}
