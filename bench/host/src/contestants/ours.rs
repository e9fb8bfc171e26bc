//! heapbase-host, configured as a node would configure it.

use super::node::Node;
use bench_common::{Block, Contestant, material::Runtime};
use heapbase_host::{Cache, Config, Engine, Executor, HeapPages, State};
use std::{collections::HashMap, path::Path};

/// The configuration: heap pages of the state, everything else by default.
pub fn config(engine: Engine, cache: Option<&Path>) -> Config {
    Config {
        engine,
        heap_pages: HeapPages::FromState,
        cache: cache.map_or(Cache::Off, |folder| Cache::Folder(folder.to_owned())),
        ..Config::default()
    }
}

/// The executor.
pub fn executor(engine: Engine, cache: Option<&Path>) -> Executor {
    Executor::new(config(engine, cache))
}

/// heapbase-host for a call or two, as `heapbase call` uses it: its own state and no `CodeExecutor` between. What a call
/// changed is dropped with its outcome, so the interpreter may try it on a small memory first.
pub struct Direct {
    config: Config,
    runtimes: HashMap<[u8; 32], heapbase_host::Runtime>,
    blocks: Node<Executor>,
}

impl Direct {
    /// With `engine`; `cache` is a folder for compiled code.
    pub fn new(engine: Engine, cache: Option<&Path>) -> Self {
        let config = config(engine, cache);
        Self { blocks: Node::new(Executor::new(config.clone())), config, runtimes: HashMap::new() }
    }
}

impl Contestant for Direct {
    fn call(&mut self, runtime: &Runtime, entry: &str, input: &[u8]) -> Result<Vec<u8>, String> {
        if let Some(loaded) = self.runtimes.get(&runtime.hash) {
            return call(loaded, entry, input);
        }
        let loaded = heapbase_host::Runtime::new(&runtime.code, &self.config).map_err(|error| error.to_string())?;
        let output = call(&loaded, entry, input);
        self.runtimes.insert(runtime.hash, loaded);
        output
    }

    fn block(&mut self, block: &Block) -> Result<[u8; 32], String> {
        self.blocks.block(block)
    }
}

fn call(runtime: &heapbase_host::Runtime, entry: &str, input: &[u8]) -> Result<Vec<u8>, String> {
    let outcome = runtime.call(entry, input).on(&State::default()).map_err(|error| error.to_string())?;
    Ok(outcome.output)
}
