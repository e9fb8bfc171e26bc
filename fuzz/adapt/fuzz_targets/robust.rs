//! Any bytes, and modules with everything that there is in them: each pass, and the whole adaptation, gives a valid module or says why
//! not.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use heapbase_module::{
    Spec,
    adapt::{self, AdaptError},
    canonical, lower,
    pass::PassError,
    prune,
};
use libfuzzer_sys::{Corpus, fuzz_target};
use wasm_smith::{Config, Module};
use wasmparser::{Validator, WasmFeatures};

fuzz_target!(|data: &[u8]| -> Corpus {
    match run(&mut Unstructured::new(data)) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let bytes;
    let wasm = match u.int_in_range(0..=3)? {
        0 => {
            let rest = u.bytes(u.len())?;
            bytes = [b"\0asm\x01\0\0\0", rest].concat();
            &bytes
        }
        kind => {
            let mut config = Config::arbitrary(u)?;
            // Without these there is more that can be lowered.
            if u.ratio(3, 4)? {
                config.gc_enabled = false;
                config.simd_enabled = false;
                config.threads_enabled = false;
                config.exceptions_enabled = false;
                config.memory64_enabled = false;
                config.max_memories = 1;
                config.max_tables = 1;
            }
            let mut module = Module::new(config, u)?.to_bytes();
            if kind == 3 {
                for _ in 0..u.int_in_range(1..=8)? {
                    let place = u.choose_index(module.len())?;
                    module[place] = u.arbitrary()?;
                }
            }
            bytes = module;
            &bytes
        }
    };
    let mut options = lower::Options::default();
    options.sign_extension = u.arbitrary().unwrap_or_default();
    options.bulk_memory = u.arbitrary().unwrap_or_default();
    options.mutable_globals = u.arbitrary().unwrap_or_default();
    let lowered = checked(lower::lower(wasm, &options), options.features());
    if let Some(lowered) = &lowered {
        // What is lowered holds nothing that the others refuse.
        let canonical = checked(canonical::canonicalise(lowered), options.features());
        assert!(canonical.is_some(), "what is lowered was refused");
    }
    checked(canonical::canonicalise(wasm), WasmFeatures::all());
    whole(wasm, u, options);
    let mut prunes = prune::Options::default();
    prunes.shift_table = u.arbitrary().unwrap_or(true);
    if u.arbitrary().unwrap_or(false) {
        prunes.exports = Some(Default::default());
    }
    let pruned = checked(prune::prune(wasm, &prunes), WasmFeatures::all());
    if let (Some(_), Some(pruned)) = (lowered, pruned) {
        // Pruning takes nothing away that lowering needs, and may take away what it refuses.
        match lower::lower(&pruned, &options) {
            Ok(_) | Err(PassError::TooLarge { .. }) => {}
            Err(error) => panic!("refused only when it is pruned: {error}"),
        }
    }
    Ok(())
}

/// Adapts it, whatever it imports and exports.
fn whole(wasm: &[u8], u: &mut Unstructured<'_>, features: lower::Options) {
    let mut options = adapt::Options::new(if u.arbitrary().unwrap_or_default() { Spec::V1 } else { Spec::Local });
    options.features = features;
    options.arena = 4 << 16;
    options.steps = 100_000;
    if u.arbitrary().unwrap_or_default() {
        options.init = adapt::Init::Lazy;
    }
    match adapt::adapt(wasm, &options) {
        Ok(adaptation) => {
            Validator::new_with_features(features.features()).validate_all(&adaptation.wasm).expect("it is valid");
        }
        Err(error @ AdaptError::Result { .. }) => panic!("{error}"),
        Err(error @ (AdaptError::ForeignImport { .. } | AdaptError::Pass(_) | AdaptError::Entry(_))) => {
            assert!(!error.to_string().contains(char::is_control), "a name is told as it is: {error:?}");
        }
        Err(_) => {}
    }
}

/// The module, if there is one, which is valid.
fn checked(done: std::result::Result<lower::Lowered, PassError>, features: WasmFeatures) -> Option<Vec<u8>> {
    match done {
        Ok(done) => {
            Validator::new_with_features(features).validate_all(&done.wasm).expect("it is valid");
            Some(done.wasm)
        }
        Err(error @ PassError::Result { .. }) => panic!("{error}"),
        Err(_) => None,
    }
}
