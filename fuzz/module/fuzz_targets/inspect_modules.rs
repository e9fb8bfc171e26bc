//! Valid modules with every proposal: each is read, found valid, and what stock nodes refuse is named as a feature.
#![no_main]

#[path = "../../../crates/heapbase-module/tests/oracle/mod.rs"]
mod oracle;

use heapbase_module::inspect;
use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use wasm_smith::{Config, Module};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = Unstructured::new(bytes);
    let Ok(mut config) = Config::arbitrary(&mut bytes) else { return };
    config.max_memories = config.max_memories.min(3);
    let Ok(module) = Module::new(config, &mut bytes) else { return };
    let module = module.to_bytes();
    let report = inspect(&module).expect("wasm-smith builds modules that can be read");
    for problem in &report.problems {
        assert!(!matches!(problem.code(), "invalid" | "refused-encoding"), "{problem:?}");
    }
    oracle::check(&module, &Ok(report));
});
