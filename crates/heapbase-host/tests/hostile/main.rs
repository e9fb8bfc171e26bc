//! Malformed and hostile guests, one flaw each, on every engine and with each way to have a memory.
//!
//! What must hold of all of them: the host survives, says which rule was broken and where, gives the same answer when the
//! same runtime is called again, and runs the next guest as if nothing had been.

mod bytes;
mod features;
mod fresh;
mod heap;
mod module;
mod nested;
mod parts;
mod pointers;
mod resources;
mod shapes;
mod spec;

use heapbase_host::{CallError, Config, Engine, Error, HeapPages, Runtime, State};
use parts::Wat;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of loading a module and calling its entry point `run`.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing was executed.
    Refused(Error),
    /// The call began and failed.
    Failed(Box<CallError>),
    /// The call returned.
    Returned(Vec<u8>),
}

/// What a test demands of an outcome.
#[derive(Clone, Copy)]
pub(crate) struct Must {
    /// The demand as it is written in the test.
    text: &'static str,
    holds: fn(&Outcome) -> bool,
}

/// Demands that an outcome matches a pattern.
macro_rules! must {
    ($pattern:pat $(if $guard:expr)?) => {
        crate::Must {
            text: stringify!($pattern $(if $guard)?),
            holds: |outcome| matches!(outcome, $pattern $(if $guard)?),
        }
    };
}
pub(crate) use must;

/// A guest with one flaw.
pub(crate) struct Case {
    name: &'static str,
    wat: Wat,
    input: &'static [u8],
    config: fn(&mut Config),
    fuel: Option<u64>,
    must: Must,
    or: Option<Must>,
}

impl Case {
    pub(crate) const fn new(name: &'static str, wat: Wat, must: Must) -> Self {
        Case { name, wat, input: b"input", config: |_| {}, fuel: None, must, or: None }
    }

    /// What the entry point gets, if not `input`.
    pub(crate) const fn input(self, input: &'static [u8]) -> Self {
        Case { input, ..self }
    }

    /// Changes how the module is loaded.
    pub(crate) const fn config(self, config: fn(&mut Config)) -> Self {
        Case { config, ..self }
    }

    /// Bounds the instructions of the call.
    pub(crate) const fn fuel(self, fuel: u64) -> Self {
        Case { fuel: Some(fuel), ..self }
    }

    /// Another outcome that is as good.
    pub(crate) const fn or(self, or: Must) -> Self {
        Case { or: Some(or), ..self }
    }

    fn check(&self, engine: Engine, wasm: &[u8], problems: &mut Vec<String>) {
        let mut config = config(engine);
        config.limits.fuel = self.fuel;
        (self.config)(&mut config);
        let outcomes = catch_unwind(AssertUnwindSafe(|| match Runtime::new(wasm, &config) {
            Ok(runtime) => (0..2).map(|_| call(&runtime, self.input)).collect(),
            Err(error) => vec![Outcome::Refused(error)],
        }));
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(_) => return problems.push(format!("{engine}: {}: the host panicked", self.name)),
        };
        for outcome in &outcomes {
            let good = (self.must.holds)(outcome) || self.or.is_some_and(|or| (or.holds)(outcome));
            if !good {
                let or = self.or.map_or_else(String::new, |or| format!(" or {}", or.text));
                problems
                    .push(format!("{engine}: {}: must be {}{or}\n    but is {outcome:?}", self.name, self.must.text));
            }
        }
        let said: Vec<_> = outcomes.iter().map(said).collect();
        if let [first, second] = &said[..]
            && first != second
        {
            problems.push(format!("{engine}: {}: first {first}\n    then {second}", self.name));
        }
    }
}

/// A small heap, so that a guest that asks for too much is soon told so.
pub(crate) fn config(engine: Engine) -> Config {
    Config { engine, heap_pages: HeapPages::Fixed(16), ..Config::default() }
}

pub(crate) fn call(runtime: &Runtime, input: &[u8]) -> Outcome {
    match runtime.call("run", input).on(&State::default()) {
        Ok(outcome) => Outcome::Returned(outcome.output),
        Err(Error::Call(error)) => Outcome::Failed(error),
        Err(error) => Outcome::Refused(error),
    }
}

/// What a person reads, without the number that wasmi gives each store.
fn said(outcome: &Outcome) -> String {
    let text = match outcome {
        Outcome::Refused(error) => error.to_string(),
        Outcome::Failed(error) => error.to_string(),
        Outcome::Returned(bytes) => format!("{bytes:02x?}"),
    };
    match text.split_once("StoreId(") {
        Some((before, after)) => format!("{before}{}", after.trim_start_matches(char::is_numeric)),
        None => text,
    }
}

fn check_all(cases: &[Case]) {
    let mut problems = Vec::new();
    let flawless = parts::V1.binaries().remove(0);
    let neighbour = Runtime::new(&flawless, &config(Engine::Wasmtime)).expect("a module without flaw");
    for case in cases {
        for wasm in case.wat.binaries() {
            for engine in Engine::ALL {
                case.check(engine, &wasm, &mut problems);
            }
        }
        match call(&neighbour, b"still here") {
            Outcome::Returned(bytes) if bytes == b"still here" => {}
            other => problems.push(format!("after {}: a runtime without flaw: {other:?}", case.name)),
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn who_owns_the_heap_is_decided_first() {
    check_all(spec::CASES);
}

#[test]
fn allocators_of_the_runtime() {
    check_all(heap::V1_CASES);
}

#[test]
fn attacks_on_the_allocator_of_the_host() {
    check_all(heap::LEGACY_CASES);
}

#[test]
fn results_outside_of_memory() {
    check_all(pointers::OUTPUTS);
}

#[test]
fn arguments_of_host_functions() {
    check_all(pointers::ARGUMENTS);
}

#[test]
fn imports() {
    check_all(module::IMPORTS);
}

#[test]
fn memories() {
    check_all(module::MEMORIES);
}

#[test]
fn tables() {
    check_all(module::TABLES);
}

#[test]
fn entry_points() {
    check_all(module::ENTRIES);
}

#[test]
fn start_functions() {
    check_all(module::STARTS);
}

#[test]
fn time_stack_and_memory() {
    check_all(resources::CASES);
}
