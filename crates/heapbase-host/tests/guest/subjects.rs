//! The guest in all its forms, loaded once.

use codec::{DecodeAll, Encode};
use heapbase_host::{CallError, Config, Engine, Error, HeapPages, Outcome, Runtime, Spec, State};
use sp_externalities::Externalities;
use std::sync::OnceLock;

/// One form of the guest on one engine.
pub(crate) struct Subject {
    /// For messages: the form and the engine.
    pub name: String,
    pub wasm: Vec<u8>,
    pub runtime: Runtime,
}

static LOADED: OnceLock<Vec<Subject>> = OnceLock::new();

/// Every form of the guest on every engine; none where it cannot be built, which is said.
pub(crate) fn subjects() -> &'static [Subject] {
    LOADED.get_or_init(|| {
        let Some(guests) = crate::common::guests() else {
            return Vec::new();
        };
        guests.iter().flat_map(|(name, wasm)| Engine::ALL.map(|engine| load(name, wasm, engine))).collect()
    })
}

/// 32 MiB of heap, a quarter of a node's: wasmi writes all of it in each call under the legacy spec.
const HEAP: HeapPages = HeapPages::Fixed(512);

fn config(engine: Engine) -> Config {
    Config { engine, heap_pages: HEAP, ..Config::default() }
}

fn load(name: &str, wasm: &[u8], engine: Engine) -> Subject {
    let runtime = Runtime::new(wasm, &config(engine)).unwrap_or_else(|error| panic!("{name} on {engine}: {error}"));
    let spec = if name.starts_with("v1") { Spec::V1 } else { Spec::Legacy };
    assert_eq!(runtime.spec(), spec, "{name}");
    assert_eq!(runtime.unknown_imports(), &[] as &[String], "{name}");
    Subject { name: format!("{name} on {engine}"), wasm: wasm.to_vec(), runtime }
}

impl Subject {
    pub(crate) fn spec(&self) -> Spec {
        self.runtime.spec()
    }

    /// Loads the same form with another configuration.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Config)) -> Subject {
        let mut config = config(self.runtime.engine());
        change(&mut config);
        self.loaded(self.wasm.clone(), &config)
    }

    fn loaded(&self, wasm: Vec<u8>, config: &Config) -> Subject {
        let runtime = Runtime::new(&wasm, config).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        Subject { name: self.name.clone(), wasm, runtime }
    }

    /// Loads other bytes with the same configuration.
    pub(crate) fn with_wasm(&self, wasm: Vec<u8>) -> Subject {
        self.loaded(wasm, &config(self.runtime.engine()))
    }

    /// Calls an entry point with raw input.
    pub(crate) fn raw(&self, entry: &str, input: &[u8], state: &State) -> Outcome {
        self.runtime.call(entry, input).on(state).unwrap_or_else(|error| panic!("{}: {entry}: {error}", self.name))
    }

    /// Calls an entry point on a state: the decoded result and everything else that came of it.
    pub(crate) fn on<T: DecodeAll>(&self, state: &State, entry: &str, arguments: impl Encode) -> (T, Outcome) {
        let outcome = self.raw(entry, &arguments.encode(), state);
        (self.decoded(entry, &outcome.output), outcome)
    }

    /// Calls an entry point on an empty state.
    pub(crate) fn get<T: DecodeAll>(&self, entry: &str, arguments: impl Encode) -> T {
        self.on(&State::default(), entry, arguments).0
    }

    /// Calls an entry point on a state and commits what it changed.
    pub(crate) fn commit<T: DecodeAll>(&self, state: &mut State, entry: &str, arguments: impl Encode) -> T {
        let (result, outcome) = self.on(state, entry, arguments);
        let root = outcome.state_root();
        state.commit(outcome.changes);
        assert_eq!(state.root(), root, "{}: {entry}: the root that was announced", self.name);
        result
    }

    /// Calls an entry point on externalities of the test's.
    pub(crate) fn with_ext<T: DecodeAll>(&self, ext: &mut dyn Externalities, entry: &str, arguments: impl Encode) -> T {
        let output = self.runtime.call(entry, &arguments.encode()).with(ext).output;
        self.decoded(entry, &output.unwrap_or_else(|error| panic!("{}: {entry}: {error}", self.name)))
    }

    fn decoded<T: DecodeAll>(&self, entry: &str, output: &[u8]) -> T {
        T::decode_all(&mut &output[..])
            .unwrap_or_else(|error| panic!("{}: {entry} returned {output:02x?}: {error}", self.name))
    }

    /// Calls an entry point that must fail in the call.
    pub(crate) fn error(&self, entry: &str, arguments: impl Encode) -> CallError {
        match self.runtime.call(entry, &arguments.encode()).on(&State::default()) {
            Err(Error::Call(error)) => *error,
            Err(error) => panic!("{}: {entry} fails before the call: {error}", self.name),
            Ok(outcome) => panic!("{}: {entry} returned {:02x?}", self.name, outcome.output),
        }
    }
}

/// Runs a check on every subject.
pub(crate) fn each(check: impl Fn(&Subject)) {
    subjects().iter().for_each(check);
}
