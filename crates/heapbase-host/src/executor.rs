//! The executor that a Polkadot SDK node takes in place of its own.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use sp_core::traits::{CallContext, CodeExecutor, FetchRuntimeCode, ReadRuntimeVersion, RuntimeCode};
use sp_externalities::Externalities;
use sp_wasm_interface::HostFunctions;

use crate::{
    config::{Config, HeapPages, Limits},
    error::Error,
    runtime::{self, Runtime},
};

/// Runtimes that an executor keeps loaded: the current one, the one before an upgrade, and some to spare.
const KEPT: usize = 4;

/// Executes whatever runtime the state holds, loading each one once.
///
/// It implements [`CodeExecutor`] and [`ReadRuntimeVersion`], which is all that a client asks of its executor. Clones share
/// the loaded runtimes. `H` are the host functions, by default those of `sp-io`.
///
/// ```
/// use heapbase_host::{Config, Engine, Executor};
/// use sp_core::{storage::Storage, traits::{CallContext, RuntimeCode, WrappedRuntimeCode}};
/// use sp_state_machine::{InMemoryBackend, OverlayedChanges, StateMachine};
///
/// // A runtime of one entry point, which returns its input.
/// let wasm = wat::parse_str(r#"(module
///     (memory (export "memory") 1)
///     (global (export "__heap_base") i32 (i32.const 1024))
///     (func (export "echo") (param i32 i32) (result i64)
///         (i64.or
///             (i64.extend_i32_u (local.get 0))
///             (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32)))))"#)?;
///
/// let executor: Executor = Executor::new(Config { engine: Engine::Wasmi, ..Config::default() });
/// let backend = InMemoryBackend::<sp_core::Blake2Hasher>::default();
/// let mut overlay = OverlayedChanges::default();
/// let mut extensions = Default::default();
/// let fetcher = WrappedRuntimeCode(wasm.into());
/// let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: vec![1] };
/// let output = StateMachine::new(
///     &backend, &mut overlay, &executor, "echo", b"hello", &mut extensions, &code, CallContext::Offchain,
/// )
/// .execute()
/// .expect("the call returns");
/// assert_eq!(output, b"hello");
/// # Ok::<(), wat::Error>(())
/// ```
pub struct Executor<H = sp_io::SubstrateHostFunctions> {
    shared: Arc<Shared>,
    functions: PhantomData<fn() -> H>,
}

struct Shared {
    config: Config,
    /// Hash of the code and the runtime, the most recently used last.
    runtimes: Mutex<Vec<(Vec<u8>, Arc<Runtime>)>>,
}

impl<H> Clone for Executor<H> {
    fn clone(&self) -> Self {
        Executor { shared: Arc::clone(&self.shared), functions: PhantomData }
    }
}

impl<H> Default for Executor<H> {
    /// As a node: heap pages of the state, everything else by default.
    fn default() -> Self {
        Executor::new(Config { heap_pages: HeapPages::FromState, ..Config::default() })
    }
}

impl<H> std::fmt::Debug for Executor<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl<H> Executor<H> {
    /// An executor that loads runtimes as `config` says. With [`HeapPages::FromState`], the pages that come with the code
    /// (`:heappages`) count, as on a node.
    pub fn new(config: Config) -> Self {
        Executor { shared: Arc::new(Shared { config, runtimes: Mutex::default() }), functions: PhantomData }
    }

    fn find(&self, hash: &[u8]) -> Option<Arc<Runtime>> {
        let mut runtimes = self.shared.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        let at = runtimes.iter().position(|(key, _)| key == hash)?;
        let last = runtimes.len() - 1;
        if at != last {
            let found = runtimes.remove(at);
            runtimes.push(found);
        }
        runtimes.last().map(|(_, runtime)| Arc::clone(runtime))
    }
}

/// Reads the versions that a call asks for by `ext_misc_runtime_version_version_1`.
///
/// The modules are the runtime's own choice, so they are bounded as it is: by its limits, and in fuel each by half of what
/// those before have left. All of them together then use no more than the call itself may.
pub(crate) struct Versions(Mutex<Limits>);

impl Versions {
    pub(crate) fn new(limits: Limits) -> Self {
        Versions(Mutex::new(limits))
    }
}

impl ReadRuntimeVersion for Versions {
    fn read_runtime_version(&self, wasm_code: &[u8], ext: &mut dyn Externalities) -> Result<Vec<u8>, String> {
        let limits = {
            let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            left.fuel = left.fuel.map(|fuel| fuel / 2);
            *left
        };
        let config = Config { limits, ..Config::default() };
        runtime::read_version::<sp_io::SubstrateHostFunctions>(wasm_code, &config, ext)
    }
}

impl<H: HostFunctions> Executor<H> {
    /// The runtime of this code, loaded now if it was not before. Two threads that ask for a new one at the same time both
    /// load it, rather than one holding up every other runtime's calls.
    ///
    /// # Errors
    ///
    /// As [`Runtime::new`].
    pub fn runtime(&self, code: &RuntimeCode<'_>) -> Result<Arc<Runtime>, Error> {
        if let Some(runtime) = self.find(&code.hash) {
            return Ok(runtime);
        }
        let bytes = code.fetch_runtime_code().ok_or(Error::NoCode)?;
        let runtime = Arc::new(Runtime::with_host_functions::<H>(&bytes, &self.shared.config)?);
        let mut runtimes = self.shared.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        if runtimes.len() >= KEPT {
            runtimes.remove(0);
        }
        runtimes.push((code.hash.clone(), Arc::clone(&runtime)));
        Ok(runtime)
    }
}

impl<H: HostFunctions> CodeExecutor for Executor<H> {
    type Error = Error;

    fn call(
        &self,
        ext: &mut dyn Externalities,
        runtime_code: &RuntimeCode<'_>,
        method: &str,
        data: &[u8],
        context: CallContext,
    ) -> (Result<Vec<u8>, Error>, bool) {
        let runtime = match self.runtime(runtime_code) {
            Ok(runtime) => runtime,
            Err(error) => return (Err(error), false),
        };
        let mut call = runtime.call(method, data);
        if let (HeapPages::FromState, Some(pages)) = (self.shared.config.heap_pages, runtime_code.heap_pages) {
            call = call.heap_pages(pages.try_into().unwrap_or(u32::MAX));
        }
        if context == (CallContext::Onchain { import: true }) {
            call = call.importing();
        }
        (call.with(ext).output, false)
    }
}

impl<H: HostFunctions> ReadRuntimeVersion for Executor<H> {
    fn read_runtime_version(&self, wasm_code: &[u8], ext: &mut dyn Externalities) -> Result<Vec<u8>, String> {
        runtime::read_version::<H>(wasm_code, &self.shared.config, ext)
    }
}
