//! What lowering makes of each construct, and what it refuses, is said in `lower/*.wat` (see `blessed`). How lowered modules behave is the
//! matter of `passes`, of random modules, and of the files in `lower/`.

#[path = "blessed/mod.rs"]
mod blessed;
#[path = "lower/edges.rs"]
mod edges;
#[path = "lower/hostile.rs"]
mod hostile;
#[path = "lower/memory.rs"]
mod memory;

use heapbase_module::lower::{Options, lower};
use wasmparser::Validator;

#[test]
fn every_module_becomes_what_lies_beside_it() {
    blessed::check("lower", 40, |text, wasm| {
        // A file asks for options in its first lines.
        let mut options = Options::default();
        for line in text.lines() {
            match line {
                ";;@ sign extension" => options.sign_extension = true,
                ";;@ bulk memory" => options.bulk_memory = true,
                ";;@ mutable globals" => options.mutable_globals = true,
                _ => assert!(!line.starts_with(";;@"), "no such option: {line}"),
            }
        }
        let lowered = lower(wasm, &options)?;
        if let Err(error) = Validator::new_with_features(options.features()).validate_all(&lowered.wasm) {
            panic!("{error}\n{text}");
        }
        let again = lower(&lowered.wasm, &options).expect("what is lowered can be lowered");
        assert_eq!((again.wasm, again.changes), (lowered.wasm.clone(), Vec::new()), "twice is once: {text}");
        Ok(lowered)
    });
}
