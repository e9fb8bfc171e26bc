//! Real blocks on the state they ran on: the root after must be the header's, and any change must be noticed.

mod common;

use codec::{Compact, Decode};
use heapbase_host::{Cache, Case, Config, Engine, Error, HeapPages, Outcome, Runtime, Spec, State};
use sp_core::{H256, storage::well_known_keys};
use std::{path::PathBuf, sync::OnceLock};

struct Loaded {
    name: String,
    case: Case,
    state: State,
    /// On each engine.
    runtimes: Vec<Runtime>,
    /// Keys and values of the top trie.
    top: Vec<(Vec<u8>, Vec<u8>)>,
    json: serde_json::Value,
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.trim_start_matches("0x")).expect("cases are in hex")
}

/// The cases, loaded once; none where they are not there, which is said.
fn cases() -> &'static [Loaded] {
    static LOADED: OnceLock<Vec<Loaded>> = OnceLock::new();
    LOADED.get_or_init(load_cases)
}

fn load_cases() -> Vec<Loaded> {
    let Some(folder) = common::shared("cases") else { return Vec::new() };
    let cache = Cache::Folder(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("case-cache"));
    let load = |file: PathBuf| {
        let text = std::fs::read(&file).expect("the case can be read");
        let case = Case::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let state = State::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(case.state.as_ref().map(State::root), Some(state.root()));
        let json: serde_json::Value = serde_json::from_slice(&text).expect("cases are JSON");
        let top = json["top"].as_object().expect("cases have a state");
        let top = top.iter().map(|(key, value)| (bytes(key), bytes(value.as_str().expect("hex")))).collect();
        let code = state.code().expect("the state has a runtime");
        let runtimes = Engine::ALL.map(|engine| {
            let config = Config { engine, cache: cache.clone(), heap_pages: HeapPages::FromState, ..Config::default() };
            Runtime::new(&code, &config).unwrap_or_else(|error| panic!("{}: {error}", case.name))
        });
        Loaded { name: case.name.clone(), case, state, runtimes: runtimes.into(), top, json }
    };
    let cases: Vec<_> = common::files(&folder, ".json").into_iter().map(load).collect();
    assert_eq!(cases.len(), 4);
    cases
}

impl Loaded {
    fn run(&self, runtime: &Runtime, input: &[u8], state: &State) -> Result<Outcome, Error> {
        runtime.call(&self.case.entry, input).on(state)
    }

    /// Where the header's state root lies in the input: after the parent's hash and the block's number.
    fn root_at(&self) -> usize {
        let mut rest = &self.case.input[32..];
        Compact::<u32>::decode(&mut rest).expect("a block has a number");
        self.case.input.len() - rest.len()
    }

    /// The block must be refused by the runtime itself.
    fn assert_refused(&self, runtime: &Runtime, input: &[u8], state: &State, what: &str) {
        let name = format!("{} on {}, {what}", self.name, runtime.engine());
        match self.run(runtime, input, state) {
            Ok(outcome) => panic!("{name}: passes, with the root {:?}", outcome.state_root()),
            Err(Error::Call(error)) => {
                let message = error.panic_message.as_deref().unwrap_or_default();
                assert!(!message.is_empty(), "{name}: without the runtime's own message: {error}");
                assert!(error.to_string().contains(message), "{name}: {error}");
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn blocks_give_the_root_of_their_header() {
    for loaded in cases() {
        let expected = loaded.case.expected_state_root.expect("cases say what root they expect");
        let at = loaded.root_at();
        assert_eq!(loaded.case.input[at..at + 32], expected.0, "{}: the header", loaded.name);
        if let Some(parent) = loaded.case.parent_state_root {
            assert_eq!(loaded.state.root(), parent, "{}: the state before", loaded.name);
        }
        let mut all = Vec::new();
        for runtime in &loaded.runtimes {
            assert_eq!(runtime.spec(), Spec::Legacy);
            // The second time on memory that has been used.
            for _ in 0..2 {
                let outcome = loaded.run(runtime, &loaded.case.input, &loaded.state);
                let outcome =
                    outcome.unwrap_or_else(|error| panic!("{} on {}: {error}", loaded.name, runtime.engine()));
                assert_eq!(outcome.state_root(), expected, "{} on {}", loaded.name, runtime.engine());
                assert_eq!(outcome.output, b"", "{}: a block returns nothing", loaded.name);
                let statistics = &outcome.statistics;
                assert!(statistics.host_allocations > 100, "{}: {statistics:?}", loaded.name);
                assert!(statistics.host_bytes_given > statistics.host_bytes_asked, "{}: {statistics:?}", loaded.name);
                assert!(statistics.host_bytes_peak < statistics.host_bytes_given, "{}: {statistics:?}", loaded.name);
                assert!((10..2_100).contains(&statistics.peak_pages), "{}: {statistics:?}", loaded.name);
                assert_eq!(statistics.guest_allocations, 0, "{}: {statistics:?}", loaded.name);
                all.push(outcome.statistics);

                let mut after = loaded.state.clone();
                after.commit(outcome.changes);
                assert_eq!(after.root(), expected, "{}: the state after", loaded.name);
            }
        }
        assert!(all.iter().all(|statistics| *statistics == all[0]), "{}: {all:#?}", loaded.name);
    }
}

#[test]
fn a_changed_root_is_noticed() {
    for loaded in cases() {
        let at = loaded.root_at();
        for offset in [0, 13, 31] {
            let mut input = loaded.case.input.clone();
            input[at + offset] ^= 0x01;
            for runtime in &loaded.runtimes {
                loaded.assert_refused(
                    runtime,
                    &input,
                    &loaded.state,
                    &format!("byte {offset} of the header's state root"),
                );
            }
        }
    }
}

#[test]
fn a_changed_extrinsic_is_noticed() {
    for loaded in cases() {
        let length = loaded.case.input.len();
        // The extrinsics are what the input ends with.
        for back in [1, 2, 20] {
            let mut input = loaded.case.input.clone();
            input[length - back] ^= 0x01;
            for runtime in &loaded.runtimes {
                loaded.assert_refused(
                    runtime,
                    &input,
                    &loaded.state,
                    &format!("byte {back} from the end of the extrinsics"),
                );
            }
        }
    }
}

#[test]
fn a_changed_value_is_noticed() {
    for loaded in cases() {
        let outcome = loaded.run(&loaded.runtimes[0], &loaded.case.input, &loaded.state).expect("the block passes");
        let mut after = loaded.state.clone();
        after.commit(outcome.changes);
        // Values that are the same after the block. Some of them it writes all the same: those may be changed unnoticed.
        let kept: Vec<_> = loaded
            .top
            .iter()
            .filter(|(key, value)| {
                key != well_known_keys::CODE
                    && !key.starts_with(well_known_keys::CHILD_STORAGE_KEY_PREFIX)
                    && !value.is_empty()
                    && after.get(key).as_ref() == Some(value)
            })
            .collect();
        assert!(kept.len() >= 8, "{}: {} values are kept", loaded.name, kept.len());
        let (mut refused, mut overwritten) = (0, 0);
        for (key, value) in kept.iter().step_by(kept.len() / 4) {
            let mut json = loaded.json.clone();
            let mut changed = value.clone();
            changed[0] ^= 0x01;
            let top = json["top"].as_object_mut().expect("cases have a state");
            let key = top.keys().find(|text| bytes(text) == *key).expect("the key is there").clone();
            top[&key] = serde_json::Value::String(format!("0x{}", hex::encode(changed)));
            let text = serde_json::to_vec(&json).expect("JSON can be written");
            let case = Case::from_json(&text).expect("a case is read whatever its root");
            let state = case.state.expect("it has a state");
            assert_ne!(state.root(), loaded.state.root(), "{}: {key}", loaded.name);
            // As a state it is refused where the case says what its root must be.
            if loaded.case.parent_state_root.is_some() {
                let error = State::from_json(&text).expect_err("the root is another").to_string();
                assert!(error.contains("parent_state_root"), "{error}");
            }
            for runtime in &loaded.runtimes {
                match loaded.run(runtime, &case.input, &state) {
                    Ok(outcome) => {
                        assert_eq!(Some(outcome.state_root()), case.expected_state_root, "{}: {key}", loaded.name);
                        overwritten += 1;
                    }
                    Err(_) => {
                        loaded.assert_refused(runtime, &case.input, &state, &format!("the value of {key}"));
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused > 2 * overwritten, "{}: {refused} refused, {overwritten} overwritten", loaded.name);
    }
}

#[test]
fn a_cut_block_is_noticed() {
    for loaded in cases() {
        let input = &loaded.case.input;
        for length in [0, 1, 32, 100, input.len() / 2, input.len() - 1] {
            for runtime in &loaded.runtimes {
                loaded.assert_refused(runtime, &input[..length], &loaded.state, &format!("cut to {length} bytes"));
            }
        }
    }
}

#[test]
fn a_heap_that_is_too_small_for_a_block() {
    for loaded in cases() {
        for runtime in &loaded.runtimes {
            let call = runtime.call(&loaded.case.entry, &loaded.case.input).heap_pages(1);
            match call.on(&loaded.state) {
                Err(Error::Call(error)) => {
                    assert!(
                        matches!(error.cause, heapbase_host::Cause::OutOfMemory { .. }),
                        "{}: {error}",
                        loaded.name
                    );
                }
                Ok(outcome) => {
                    // The smallest blocks may fit: then the root is right all the same.
                    let root: H256 = outcome.state_root();
                    assert_eq!(Some(root), loaded.case.expected_state_root, "{}", loaded.name);
                }
                Err(error) => panic!("{}: {error}", loaded.name),
            }
        }
    }
}
