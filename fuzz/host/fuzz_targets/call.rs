//! Calls arbitrary valid modules.

#![no_main]

#[path = "../../../crates/heapbase-host/tests/arbitrary/mod.rs"]
mod arbitrary_runtimes;

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    process::abort,
    sync::Once,
};

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Replaces libFuzzer's hook, which aborts at once: host functions of `sp-io` panic when they are misused, and the host has
/// to end the call and nothing else.
fn remember_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        set_hook(Box::new(|panic| LAST_PANIC.with_borrow_mut(|last| *last = panic.to_string())));
    });
}

fuzz_target!(|data: &[u8]| -> Corpus {
    remember_panics();
    match catch_unwind(AssertUnwindSafe(|| arbitrary_runtimes::check(&mut Unstructured::new(data)))) {
        Ok(Ok(_)) => Corpus::Keep,
        Ok(Err(_)) => Corpus::Reject,
        Err(_) => {
            eprintln!("{}", LAST_PANIC.with_borrow(String::clone));
            abort()
        }
    }
});
