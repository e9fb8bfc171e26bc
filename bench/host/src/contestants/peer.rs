//! sc-executor, configured as a node configures it.

use sc_executor::{HeapAllocStrategy, WasmExecutionMethod, WasmExecutor, WasmtimeInstantiationStrategy};
use sp_wasm_interface::HostFunctions;
use std::path::Path;

/// What a node gives a runtime when its state has no `:heappages`, pages of 64 KiB.
const HEAP_PAGES: u32 = 2048;

/// The node's executor: pooling and copy-on-write, eight instances, two runtimes kept; `H` are the host functions.
///
/// `cache` is a folder for wasmtime's own cache of compiled code; a node has none by default.
pub fn sc_executor<H: HostFunctions>(cache: Option<&Path>) -> WasmExecutor<H> {
    with_strategy(WasmtimeInstantiationStrategy::PoolingCopyOnWrite, cache)
}

/// The node's executor where a node is told to make each instance anew: fresh memory, into which the data is copied. The most
/// that any of its strategies does for each call.
pub fn sc_executor_eager<H: HostFunctions>(cache: Option<&Path>) -> WasmExecutor<H> {
    with_strategy(WasmtimeInstantiationStrategy::RecreateInstance, cache)
}

fn with_strategy<H: HostFunctions>(
    instantiation_strategy: WasmtimeInstantiationStrategy,
    cache: Option<&Path>,
) -> WasmExecutor<H> {
    let heap = HeapAllocStrategy::Static { extra_pages: HEAP_PAGES };
    let mut builder = WasmExecutor::builder()
        .with_execution_method(WasmExecutionMethod::Compiled { instantiation_strategy })
        .with_onchain_heap_alloc_strategy(heap)
        .with_offchain_heap_alloc_strategy(heap)
        .with_max_runtime_instances(8)
        .with_runtime_cache_size(2)
        // Runtimes of another time import what today's host no longer has. heapbase-host traps
        // when such an import is called; so does this.
        .with_allow_missing_host_functions(true);
    if let Some(path) = cache {
        builder = builder.with_cache_path(path);
    }
    builder.build()
}
