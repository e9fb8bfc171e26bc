//! Arbitrary runtimes on both engines: for the test beside this folder, and for the fuzz target `call`.
//!
//! A module from [`generate`] is loaded and called on both engines, with fuel. Nothing may panic or abort, and the engines
//! must agree: on whether the module can be loaded, on what the call returned or why it failed, on the root of the state
//! after it, and on what was allocated. A second call of the same runtime must give what the first gave, whatever that did
//! to its memory.

mod generate;
mod tame;

use arbitrary::{Result, Unstructured};
use heapbase_host::{Cause, Config, Engine, Error, HeapPages, Limits, Runtime, State, Statistics};

/// Instructions that a call may execute.
const FUEL: u64 = 200_000;

/// How a runtime's call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    /// It returned.
    Returned,
    /// It trapped.
    Failed,
    /// The runtime was not loaded.
    Refused,
    /// Fuel or stack was used up.
    Bounded,
}

/// What can be compared of a call.
#[derive(Debug, PartialEq)]
enum Outcome {
    Returned {
        output: Vec<u8>,
        root: [u8; 32],
        statistics: Statistics,
    },
    /// The cause, as far as both engines say the same: their own words for traps differ, and wasmtime knows the host
    /// function only where a plain `call` led to it.
    Failed {
        cause: String,
        panic_message: Option<String>,
    },
    Refused(String),
    /// Fuel and stack are the engines' own measures: nothing can be compared.
    Bounded,
}

/// Takes a module and an input from the fuzzer's bytes and checks all that must hold. Says how the calls ended.
///
/// # Errors
///
/// The bytes do not suffice for a module.
///
/// # Panics
///
/// Something does not hold.
pub(crate) fn check(u: &mut Unstructured<'_>) -> Result<Ended> {
    let keep_resident = *u.choose(&[0, 1 << 14, 16 << 20])?;
    let pages = u.int_in_range(0..=8)?;
    let input: Vec<u8> = u.arbitrary()?;
    let wasm = generate::module(u)?;

    let [one, two] = Engine::ALL.map(|engine| {
        let limits = Limits { fuel: Some(FUEL), ..Limits::default() };
        let config = Config { engine, limits, heap_pages: HeapPages::Fixed(pages), keep_resident, ..Config::default() };
        match Runtime::new(&wasm, &config) {
            Ok(runtime) => {
                let first = call(&runtime, &input);
                let second = call(&runtime, &input);
                assert_eq!(first, second, "{engine}: a second call gives something else");
                first
            }
            Err(error) => Outcome::Refused(kind(&error)),
        }
    });
    if one != Outcome::Bounded && two != Outcome::Bounded {
        assert_eq!(one, two, "wasmtime and wasmi differ");
    }
    Ok(match one {
        Outcome::Returned { .. } => Ended::Returned,
        Outcome::Failed { .. } => Ended::Failed,
        Outcome::Refused(_) => Ended::Refused,
        Outcome::Bounded => Ended::Bounded,
    })
}

fn call(runtime: &Runtime, input: &[u8]) -> Outcome {
    match runtime.call("run", input).on(&State::default()) {
        Ok(outcome) => {
            Outcome::Returned { root: outcome.state_root().0, output: outcome.output, statistics: outcome.statistics }
        }
        Err(Error::Call(error)) => {
            let text = error.cause.to_string();
            let bounded = error.cause == Cause::OutOfFuel || text.contains("fuel") || text.contains("stack");
            if bounded {
                return Outcome::Bounded;
            }
            let cause = match error.cause {
                Cause::Trap(_) => "a trap".to_owned(),
                Cause::AllocatorTrapped(_) => "a trap in alloc".to_owned(),
                Cause::Instantiation(_) => "instantiation".to_owned(),
                other => other.to_string(),
            };
            Outcome::Failed { cause, panic_message: error.panic_message }
        }
        Err(error) => Outcome::Refused(kind(&error)),
    }
}

/// The variant of an error.
fn kind(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}
