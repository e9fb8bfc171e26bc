//! `adapt`: what becomes of a module, by running it as a node would.
//!
//! `HEAPBASE_BLESS=1 cargo test -p heapbase-module --test adapt` writes the binary form of the system's functions anew.

#[path = "adapt/compare.rs"]
mod compare;
#[path = "adapt/entries.rs"]
mod entries;
#[path = "adapt/heap.rs"]
mod heap;
#[path = "adapt/host.rs"]
mod host;
#[path = "adapt/initialise.rs"]
mod initialise;
#[path = "adapt/random.rs"]
mod random;
#[path = "adapt/refusals.rs"]
mod refusals;
#[path = "adapt/sections.rs"]
mod sections;
mod steady;
#[path = "adapt/system.rs"]
mod system;

use heapbase_module::{
    Spec,
    adapt::{AdaptError, Adaptation, Options, adapt},
};

/// Adapts a module in text form, and checks what holds for every result.
fn adapted(wat: &str, options: &Options<'_>) -> Adaptation {
    let wasm = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    let adaptation = adapt(&wasm, options).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    expect_runtime(&adaptation);
    assert_eq!(adapt(&wasm, options).unwrap().wasm, adaptation.wasm, "the same input gives the same bytes");
    let verified = heapbase_module::verify::verify(&wasm, &adaptation.wasm, None);
    assert_eq!(verified.unwrap_or_else(|error| panic!("{error:?}\n{wat}")), adaptation.record);
    adaptation
}

/// What a node asks of a runtime, and what no runtime has.
fn expect_runtime(adaptation: &Adaptation) {
    compare::expect_runtime(adaptation);
    let exports = heapbase_module::inspect(&adaptation.wasm).unwrap().exports;
    for name in ["_initialize", "_start", "__wasm_call_ctors", "malloc", "free"] {
        assert!(exports.iter().all(|export| export.name != name), "{name} is still exported");
    }
}

fn local() -> Options<'static> {
    Options::new(Spec::Local)
}

fn v1() -> Options<'static> {
    Options::new(Spec::V1)
}

/// Why a module is refused.
fn refusal(wat: &str, options: &Options<'_>) -> AdaptError {
    let wasm = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    adapt(&wasm, options).expect_err("the module is refused")
}
