//! Who executes: anything that a node takes as its executor.

use crate::runtime::Code;
use heapbase_host::{Config, Error, Executor};
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_externalities::Externalities;

type Call = dyn Fn(&mut dyn Externalities, &RuntimeCode<'_>, &str, &[u8]) -> Result<Vec<u8>, String>;

/// An executor with a name.
pub struct Host {
    /// What it is called in reports.
    pub name: String,
    call: Box<Call>,
}

impl Host {
    /// An executor; `reason` says why a runtime ended: its panic's message where it panicked.
    pub fn new<E: CodeExecutor + 'static>(name: &str, executor: E, reason: fn(E::Error) -> String) -> Self {
        let call = move |ext: &mut dyn Externalities, code: &RuntimeCode<'_>, entry: &str, input: &[u8]| {
            executor.call(ext, code, entry, input, CallContext::Onchain { import: true }).0.map_err(reason)
        };
        Host { name: name.to_owned(), call: Box::new(call) }
    }

    /// Calls an entry point.
    ///
    /// # Errors
    ///
    /// Why the runtime ended.
    pub fn call(&self, ext: &mut dyn Externalities, code: &Code, entry: &str, input: &[u8]) -> Result<Vec<u8>, String> {
        let fetcher = WrappedRuntimeCode(code.wasm.as_slice().into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: code.hash.clone() };
        (self.call)(ext, &code, entry, input)
    }
}

/// Our own.
pub fn heapbase(config: Config) -> Host {
    let name = format!("heapbase {}", config.engine.name());
    Host::new(&name, Executor::<sp_io::SubstrateHostFunctions>::new(config), |error| match error {
        Error::Call(call) if call.panic_message.is_some() => call.panic_message.clone().unwrap_or_default(),
        error => error.to_string(),
    })
}
