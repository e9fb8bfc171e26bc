//! Any bytes: as a file, and behind the header of a module, where more of the reader is reached.
#![no_main]

#[path = "../../../crates/heapbase-module/tests/oracle/mod.rs"]
mod oracle;

use heapbase_module::blob::WASM_MAGIC;
use heapbase_module::inspect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let answer = inspect(bytes);
    if bytes.starts_with(&WASM_MAGIC) {
        oracle::check(bytes, &answer);
    }
    let module = [&WASM_MAGIC[..], bytes].concat();
    oracle::check(&module, &inspect(&module));
});
