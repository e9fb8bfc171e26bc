//! What trials of a runtime's functions have in common: a function is executed alone, in one page of memory, with bounded fuel.

use wasm_encoder::{MemorySection, MemoryType};
use wasmi::{Config, Engine, Module, Store};

/// The memory of a trial.
pub(super) fn memory() -> MemorySection {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: Some(1), memory64: false, shared: false, page_size_log2: None });
    memories
}

/// A module, and a store for it that counts fuel.
pub(super) fn load<T>(module: &[u8], data: T) -> Option<(Module, Store<T>)> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, module).ok()?;
    Some((module, Store::new(&engine, data)))
}

/// Bytes of which no two neighbours, and no two stretches, are alike.
pub(super) fn bytes(len: usize) -> Vec<u8> {
    (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}
