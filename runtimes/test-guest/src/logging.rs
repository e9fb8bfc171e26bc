//! Logs, prints and spans.

use alloc::{string::String, vec::Vec};
use sp_core::{LogLevelFilter, RuntimeInterfaceLogLevel as Level};
use sp_io::{logging, misc, wasm_tracing};
use sp_tracing::{WasmEntryAttributes, WasmMetadata};

/// A span or an event with a name.
fn attributes(name: &str, is_span: bool) -> WasmEntryAttributes {
    WasmEntryAttributes {
        metadata: WasmMetadata { name: name.into(), target: b"guest".to_vec(), is_span, ..Default::default() },
        ..Default::default()
    }
}

/// Logs a message at every level under the target `guest`.
fn at_all_levels(message: &str) {
    for level in [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace] {
        logging::log(level, "guest", message.as_bytes());
    }
}

entries! {
    /// Logs a message at every level under the target `guest`.
    fn log_all(message: String) {
        at_all_levels(&message);
    }

    /// The same, and panics.
    fn log_all_then_panic(message: String) {
        at_all_levels(&message);
        panic!("after logging");
    }

    /// Logs bytes that are no text: the host drops them.
    fn log_bytes(message: Vec<u8>) {
        logging::log(Level::Error, "guest", &message);
    }

    /// The most detailed level the host keeps: 0 (off) to 5 (trace).
    fn log_max_level() -> u8 {
        match logging::max_level() {
            LogLevelFilter::Off => 0,
            LogLevelFilter::Error => 1,
            LogLevelFilter::Warn => 2,
            LogLevelFilter::Info => 3,
            LogLevelFilter::Debug => 4,
            LogLevelFilter::Trace => 5,
        }
    }

    /// Prints a number, a text and bytes.
    fn print(number: u64, text: String, bytes: Vec<u8>) {
        misc::print_num(number);
        misc::print_utf8(text.as_bytes());
        misc::print_hex(&bytes);
    }

    /// Opens `depth` nested spans, emits an event in each and closes them.
    fn spans(depth: u32) -> bool {
        let enabled = wasm_tracing::enabled(attributes("outermost", true).metadata);
        let opened: Vec<u64> = (0..depth)
            .map(|level| {
                let span = wasm_tracing::enter_span(attributes(&alloc::format!("level {level}"), true));
                wasm_tracing::event(attributes("inside", false));
                span
            })
            .collect();
        opened.into_iter().rev().for_each(wasm_tracing::exit);
        enabled
    }

    /// The version that the host reads out of another runtime: a call within a call.
    fn version_of(runtime: Vec<u8>) -> Option<Vec<u8>> {
        misc::runtime_version(&runtime)
    }
}
