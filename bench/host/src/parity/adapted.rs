//! Runtimes that nodes refuse as they are, for what they use beyond the first WebAssembly: adapted, sc-executor takes them, and
//! answers as our host does.

use super::{Count, recording::RecordingHostFunctions, reference};
use anyhow::{Context, Result};
use bench_common::material::Runtime;
use heapbase_module::{
    Blob, Spec,
    adapt::{Options, adapt},
    inspect_blob,
};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;

/// Compares one runtime of the corpus, if nodes refuse it.
///
/// # Errors
/// The runtime cannot be read, or is not adapted.
pub(super) fn corpus_runtime(
    theirs: &WasmExecutor<RecordingHostFunctions>,
    runtime: &Runtime,
    count: &mut Count,
) -> Result<()> {
    let blob = Blob::read(&runtime.code).with_context(|| runtime.name.clone())?;
    let report = inspect_blob(&blob).with_context(|| runtime.name.clone())?;
    if report.features.iter().all(|feature| feature.stock_nodes) {
        return Ok(());
    }
    let adapted = adapt(blob.wasm(), &Options::new(Spec::Local)).with_context(|| runtime.name.clone())?;
    let adapted = Runtime::new(format!("{} adapted", runtime.name), adapted.wasm);
    let fetcher = WrappedRuntimeCode(adapted.code.as_slice().into());
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: adapted.hash.to_vec() };
    let accepted = reference(theirs, &code, "Core_version", &[], CallContext::Offchain, |call| {
        call(&mut BasicExternalities::default());
    });
    // Both refusing it would be no agreement.
    if let Err(failure) = accepted.output {
        count.differences += 1;
        println!("{} is refused: {failure} ({})", adapted.name, accepted.words);
    }
    super::corpus_runtime(theirs, &adapted, count);
    Ok(())
}
