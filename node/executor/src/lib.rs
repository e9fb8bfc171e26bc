//! The executor of a Polkadot SDK node: heapbase-host's, or the SDK's own.
//!
//! All that a client asks of its executor is `CodeExecutor`, which heapbase-host implements, and the version of a code, which
//! [`Executor`] adds. The rest is the choice between the two.
//!
//! ```
//! use heapbase_executor::Executor;
//! use sc_executor::RuntimeVersionOf;
//! use sp_core::traits::{RuntimeCode, WrappedRuntimeCode};
//! use sp_state_machine::BasicExternalities;
//!
//! // No runtime: both say so.
//! let fetcher = WrappedRuntimeCode(b"no runtime"[..].into());
//! let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: vec![1] };
//! for executor in [Executor::heapbase(), Executor::stock()] {
//!     assert!(executor.runtime_version(&mut BasicExternalities::default(), &code).is_err());
//! }
//! ```

use codec::{Decode, Encode};
use sc_executor::{RuntimeVersion, RuntimeVersionOf, WasmExecutor, error};
use sp_core::traits::{CallContext, CodeExecutor, ReadRuntimeVersion, RuntimeCode};
use sp_externalities::Externalities;
use sp_io::SubstrateHostFunctions;

/// A node's executor. Clones share the runtimes that are loaded.
#[derive(Clone)]
pub enum Executor {
    /// heapbase-host's: legacy, local and v1 runtimes.
    Heapbase(heapbase_host::Executor),
    /// The Polkadot SDK's own: legacy and local runtimes.
    Stock(WasmExecutor<SubstrateHostFunctions>),
}

impl Executor {
    /// heapbase-host's executor as a node has it by default.
    pub fn heapbase() -> Self {
        Executor::Heapbase(heapbase_host::Executor::default())
    }

    /// The Polkadot SDK's executor as a node has it by default.
    pub fn stock() -> Self {
        Executor::Stock(WasmExecutor::builder().build())
    }
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Executor::Heapbase(executor) => f.debug_tuple("Heapbase").field(executor).finish(),
            Executor::Stock(_) => f.debug_tuple("Stock").finish_non_exhaustive(),
        }
    }
}

impl CodeExecutor for Executor {
    type Error = error::Error;

    fn call(
        &self,
        ext: &mut dyn Externalities,
        code: &RuntimeCode<'_>,
        method: &str,
        data: &[u8],
        context: CallContext,
    ) -> (Result<Vec<u8>, error::Error>, bool) {
        match self {
            Executor::Heapbase(executor) => {
                let (result, native) = executor.call(ext, code, method, data, context);
                (result.map_err(|error| error::Error::Other(error.to_string())), native)
            }
            Executor::Stock(executor) => executor.call(ext, code, method, data, context),
        }
    }
}

impl ReadRuntimeVersion for Executor {
    fn read_runtime_version(&self, code: &[u8], ext: &mut dyn Externalities) -> Result<Vec<u8>, String> {
        match self {
            Executor::Heapbase(executor) => executor.read_runtime_version(code, ext),
            Executor::Stock(executor) => executor.read_runtime_version(code, ext),
        }
    }
}

impl RuntimeVersionOf for Executor {
    /// The version that the code says in a section of its own; of old code that has none, what `Core_version` returns.
    fn runtime_version(&self, ext: &mut dyn Externalities, code: &RuntimeCode<'_>) -> error::Result<RuntimeVersion> {
        let executor = match self {
            Executor::Heapbase(executor) => executor,
            Executor::Stock(executor) => return executor.runtime_version(ext, code),
        };
        let runtime = executor.runtime(code).map_err(|error| error::Error::Other(error.to_string()))?;
        // Encoded and decoded: heapbase-host may be built on another release of the type's crate than the client.
        let bytes = match runtime.embedded_version() {
            Some(version) => version.map_err(|problem| error::Error::Other(problem.to_owned()))?.encode(),
            None => self.call(ext, code, "Core_version", &[], CallContext::Offchain).0?,
        };
        RuntimeVersion::decode(&mut &bytes[..]).map_err(|_| error::Error::VersionInvalid)
    }
}
