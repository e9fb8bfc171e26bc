//! A runtime that is loaded, and calls to it.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use codec::{Decode, Encode};
use sp_core::traits::ReadRuntimeVersionExt;
use sp_externalities::{Extensions, Externalities};
use sp_state_machine::{Ext, OverlayedChanges};
use sp_version::RuntimeVersion;
use sp_wasm_interface::{HostFunctions, ValueType};
use wasmparser::{FuncType, ValType};

use crate::{
    config::{Config, Engine, HeapPages, NODE_HEAP_PAGES, UnknownImports},
    engine::{self, Answer, OVERRIDDEN, Request, compiled::Compiled, interpreted::Interpreted},
    error::{Error, Spec},
    executor::Versions,
    session::{AllocationEvent, Statistics},
    state::{Changes, State, deep},
    surface::{self, ENTRY, Surface},
};

/// A runtime, loaded and ready for any number of calls from any number of threads.
///
/// Each call runs on an instance of its own with fresh memory: nothing of one call is left for the next.
pub struct Runtime {
    surface: Surface,
    engine: Box<dyn engine::Engine>,
    wasm: Arc<[u8]>,
    hash: OnceLock<[u8; 32]>,
    config: Config,
    from_cache: bool,
    unknown_imports: Vec<String>,
    version: Option<Result<RuntimeVersion, String>>,
    allocator: Option<String>,
}

thread_local! {
    static CALLING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread is executing a runtime. Calls nest: `ext_misc_runtime_version_version_1` calls another one.
struct Calling {
    before: bool,
}

impl Calling {
    fn begin() -> Self {
        Calling { before: CALLING.replace(true) }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        CALLING.set(self.before);
    }
}

/// Whether this thread is executing a runtime now.
///
/// For panic hooks: a host function of `sp-io` may panic on what a runtime hands it. That ends the call with an error, and a
/// hook may want to stay silent about it.
pub fn is_calling() -> bool {
    CALLING.get()
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("hash", &hex::encode(self.hash()))
            .field("spec", &self.surface.spec)
            .field("engine", &self.config.engine)
            .finish_non_exhaustive()
    }
}

/// The magic of Substrate's compressed form.
const COMPRESSED: [u8; 8] = [0x52, 0xBC, 0x53, 0x76, 0x46, 0xDB, 0x8E, 0x05];

/// The module in raw form and the BLAKE2-256 hash of it.
fn decompress(code: &[u8], config: &Config) -> Result<Arc<[u8]>, Error> {
    let limit = config.limits.decompressed_bytes;
    let compressed = code.starts_with(&COMPRESSED);
    let raw = sp_maybe_compressed_blob::decompress(code, limit).map_err(|error| Error::Decompress {
        reason: match error {
            sp_maybe_compressed_blob::Error::PossibleBomb => "it gives more than the limit".to_owned(),
            sp_maybe_compressed_blob::Error::Invalid => "its zstd stream is damaged or cut".to_owned(),
        },
        limit,
    })?;
    if !compressed && raw.len() > config.limits.module_bytes {
        return Err(Error::ModuleTooLarge { size: raw.len(), limit: config.limits.module_bytes });
    }
    Ok(raw.into())
}

impl Runtime {
    /// Loads a runtime, raw or in Substrate's compressed form, with the host functions of `sp-io`.
    ///
    /// # Errors
    ///
    /// Everything that keeps the module from being called: see [`Error`]. Nothing of the module is executed.
    pub fn new(code: &[u8], config: &Config) -> Result<Self, Error> {
        Self::with_host_functions::<sp_io::SubstrateHostFunctions>(code, config)
    }

    /// Loads a runtime with host functions of your own choice: `sp-io`'s, or a tuple of those and more.
    ///
    /// # Errors
    ///
    /// As [`Runtime::new`].
    pub fn with_host_functions<H: HostFunctions>(code: &[u8], config: &Config) -> Result<Self, Error> {
        let wasm = decompress(code, config)?;
        // Who owns the heap comes first, before any other check of the module.
        let surface = surface::read(&wasm)?;
        let unknown_imports = unknown_imports::<H>(&surface);
        if config.unknown_imports == UnknownImports::Refuse && !unknown_imports.is_empty() {
            return Err(Error::UnknownImports(unknown_imports));
        }
        check_signatures::<H>(&surface)?;
        engine::memory_pages(&surface, 0, config.limits.memory_pages)?;
        // Hashing a large module takes longer than everything else does that comes before its cached code.
        let hash = OnceLock::new();
        let hashed = || *hash.get_or_init(|| sp_crypto_hashing::blake2_256(&wasm));
        let sections = custom_sections(&wasm);
        let version = embedded_version(&sections);
        let allocator = recorded_allocator(&sections);
        let may_compile = config.engine == Engine::Wasmtime;
        let compiled = match config.engine {
            Engine::Wasmi => None,
            Engine::Wasmtime | Engine::Auto => {
                Compiled::load::<H>(Arc::clone(&wasm), hashed, &surface, config, may_compile)?
            }
        };
        let mut config = config.clone();
        let (engine, from_cache): (Box<dyn engine::Engine>, bool) = match compiled {
            Some((compiled, from_cache)) => {
                config.engine = Engine::Wasmtime;
                (Box::new(compiled), from_cache)
            }
            None => {
                config.engine = Engine::Wasmi;
                (Box::new(Interpreted::load::<H>(Arc::clone(&wasm), &surface, &config)?), false)
            }
        };
        Ok(Runtime { surface, engine, wasm, hash, config, from_cache, unknown_imports, version, allocator })
    }

    /// Who owns the heap.
    pub fn spec(&self) -> Spec {
        self.surface.spec
    }

    /// The engine that executes it.
    pub fn engine(&self) -> Engine {
        self.config.engine
    }

    /// Whether compiled code was found in the cache.
    pub fn from_cache(&self) -> bool {
        self.from_cache
    }

    /// BLAKE2-256 of the raw module.
    pub fn hash(&self) -> [u8; 32] {
        *self.hash.get_or_init(|| sp_crypto_hashing::blake2_256(&self.wasm))
    }

    /// The imports that no host function answers, as `module.name`. They trap when they are called.
    pub fn unknown_imports(&self) -> &[String] {
        &self.unknown_imports
    }

    /// The names of the entry points: exported functions of type `(i32, i32) -> i64`, in alphabetical order.
    pub fn entry_points(&self) -> impl Iterator<Item = &str> {
        self.surface.functions.iter().filter(|(_, ty)| *ty == ENTRY).map(|(name, _)| name.as_str())
    }

    /// The version in the module's custom sections, where it has them; an error's text where they are damaged.
    pub fn embedded_version(&self) -> Option<Result<&RuntimeVersion, &str>> {
        Some(self.version.as_ref()?.as_ref().map_err(String::as_str))
    }

    /// The runtime's version: from the module's custom sections, or else what its `Core_version` answers.
    ///
    /// # Errors
    ///
    /// [`Error::Version`] where either does not decode, and what a failing `Core_version` gives.
    pub fn version(&self, state: &State) -> Result<RuntimeVersion, Error> {
        match &self.version {
            Some(Ok(version)) => Ok(version.clone()),
            Some(Err(reason)) => Err(Error::Version { reason: reason.clone() }),
            None => {
                let answer = self.call("Core_version", &[]).on(state)?.output;
                RuntimeVersion::decode(&mut answer.as_slice()).map_err(|error| Error::Version {
                    reason: format!("what `Core_version` answers does not decode: {error}"),
                })
            }
        }
    }

    /// The allocator inside of the module, where the module's `heapbase` section names one.
    pub fn allocator(&self) -> Option<&str> {
        self.allocator.as_deref()
    }

    /// A call of the entry point `entry`, to be made by [`Call::on`] or [`Call::with`].
    pub fn call<'a>(&'a self, entry: &'a str, input: &'a [u8]) -> Call<'a> {
        Call {
            runtime: self,
            entry,
            input,
            heap_pages: None,
            importing: false,
            record_allocations: false,
            count_host_calls: false,
        }
    }
}

/// Each imported function has the signature of the host function, and one signature where it is imported twice.
fn check_signatures<H: HostFunctions>(surface: &Surface) -> Result<(), Error> {
    let rendered = |signature: sp_wasm_interface::Signature| {
        let name = |ty: &ValueType| match ty {
            ValueType::I32 => ValType::I32,
            ValueType::I64 => ValType::I64,
            ValueType::F32 => ValType::F32,
            ValueType::F64 => ValType::F64,
        };
        surface::signature(&FuncType::new(signature.args.iter().map(name), signature.return_value.iter().map(name)))
    };
    let functions: HashMap<_, _> =
        H::host_functions().into_iter().map(|function| (function.name(), function)).collect();
    let mut seen = HashMap::new();
    for ((module, name), ty) in surface.imports.iter().zip(&surface.import_types) {
        let found = surface::signature(ty);
        let expected = seen.entry((module, name)).or_insert_with(|| {
            let known = functions.get(name.as_str()).filter(|_| module == "env");
            known.map_or_else(|| found.clone(), |function| rendered(function.signature()))
        });
        if *expected != found {
            let (name, expected) = (format!("{module}.{name}"), expected.clone());
            return Err(Error::ImportSignature { name, expected, found });
        }
    }
    Ok(())
}

/// A call that is about to be made.
#[must_use = "nothing is called before `on` or `with`"]
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    runtime: &'a Runtime,
    entry: &'a str,
    input: &'a [u8],
    heap_pages: Option<u32>,
    importing: bool,
    record_allocations: bool,
    count_host_calls: bool,
}

/// What a call gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What the entry point returned, as a rule SCALE-encoded.
    pub output: Vec<u8>,
    /// What it changed of the state; [`State::commit`] applies it.
    pub changes: Changes,
    /// What it used.
    pub statistics: Statistics,
    /// Bytes of memory that it wrote, in pages of the system: its data, its stack and its heap, whoever owns that. `None`
    /// under [`Engine::Wasmi`](crate::Engine::Wasmi), with [`Config::keep_resident`] 0, and where the system cannot say
    /// (Linux can since 6.7). The first call of a runtime counts every page; of those that stay mapped, later calls count
    /// the ones that they change.
    pub touched_bytes: Option<u64>,
    /// Every step of the allocator, where [`Call::record_allocations`] asked for them.
    pub allocations: Vec<AllocationEvent>,
}

impl Outcome {
    /// The root of the state after the call.
    pub fn state_root(&self) -> sp_core::H256 {
        self.changes.root
    }
}

/// What a call gave that ran on externalities of the caller's.
#[derive(Debug)]
#[non_exhaustive]
pub struct RawOutcome {
    /// What the entry point returned.
    pub output: Result<Vec<u8>, Error>,
    /// What it used, also where it failed.
    pub statistics: Statistics,
    /// Bytes of memory that it wrote, as in [`Outcome::touched_bytes`], also where it failed.
    pub touched_bytes: Option<u64>,
    /// Every step of the allocator, where [`Call::record_allocations`] asked for them, also where it failed.
    pub allocations: Vec<AllocationEvent>,
}

impl Call<'_> {
    /// Gives the call this many pages of heap, instead of what the [`Config`] says.
    pub fn heap_pages(mut self, pages: u32) -> Self {
        self.heap_pages = Some(pages);
        self
    }

    /// Gives the call twice the pages of heap, as nodes do when they import a block: what its author could just execute
    /// must not fail elsewhere.
    pub fn importing(mut self) -> Self {
        self.importing = true;
        self
    }

    /// Records every block that the host's allocator hands out or takes back. None of them exist under `v1`, where only the
    /// blocks that the host itself asks for are seen.
    pub fn record_allocations(mut self) -> Self {
        self.record_allocations = true;
        self
    }

    /// Counts the calls of each host function. Each of them then takes some 100 ns longer.
    pub fn count_host_calls(mut self) -> Self {
        self.count_host_calls = true;
        self
    }

    /// Makes the call on a state.
    ///
    /// # Errors
    ///
    /// [`Error::Call`] where the runtime failed, [`Error::NoEntry`], [`Error::NotAnEntry`], [`Error::InputTooLarge`] and
    /// [`Error::MemoryTooLarge`] where nothing was executed.
    pub fn on(self, state: &State) -> Result<Outcome, Error> {
        let pages = self.pages(state.heap_pages());
        // What is asked for has to be possible, also where less of it is tried first.
        engine::memory_pages(&self.runtime.surface, pages, self.runtime.config.limits.memory_pages)?;
        match self.runtime.engine.small_heap().filter(|small| *small < pages && self.runtime.spec() == Spec::Legacy) {
            None => self.on_heap(state, pages),
            Some(small) => match self.on_heap(state, small) {
                Err(Error::Call(_)) => self.on_heap(state, pages),
                other => other,
            },
        }
    }

    fn on_heap(self, state: &State, pages: u32) -> Result<Outcome, Error> {
        let mut overlay = OverlayedChanges::default();
        let mut extensions = Extensions::default();
        extensions.register(ReadRuntimeVersionExt::new(Versions::new(self.runtime.config.limits)));
        // A runtime may roll back what it began, never what its caller began.
        let entered = overlay.enter_runtime();
        let raw = {
            let mut ext = Ext::new(&mut overlay, &state.backend, Some(&mut extensions));
            self.run(&mut ext, pages)
        };
        if entered.is_ok() {
            // Cannot fail: it was entered above, and a runtime cannot exit itself.
            let _ = overlay.exit_runtime();
        }
        let output = raw.output?;
        // Nothing to compute is the rule for calls that read, and a deep stack takes longer than they do.
        let unchanged = overlay.is_empty();
        let mut drain = || overlay.drain_storage_changes(&state.backend, state.version());
        let changes = if unchanged { drain() } else { deep(drain) }.map_err(|reason| Error::Root { reason })?;
        Ok(Outcome {
            output,
            changes: Changes { root: changes.transaction_storage_root, transaction: changes.transaction },
            statistics: raw.statistics,
            touched_bytes: raw.touched_bytes,
            allocations: raw.allocations,
        })
    }

    /// Makes the call on externalities of the caller's: what a node's client does.
    pub fn with(self, ext: &mut dyn Externalities) -> RawOutcome {
        let pages = self.pages(None);
        self.run(ext, pages)
    }

    /// Pages of heap for this call.
    fn pages(&self, of_state: Option<u64>) -> u32 {
        let configured = match self.runtime.config.heap_pages {
            HeapPages::Fixed(pages) => pages,
            HeapPages::NodeDefault => NODE_HEAP_PAGES,
            HeapPages::FromState => of_state.map_or(NODE_HEAP_PAGES, |pages| pages.try_into().unwrap_or(u32::MAX)),
        };
        let pages = self.heap_pages.unwrap_or(configured);
        if self.importing { pages.saturating_mul(2) } else { pages }
    }

    fn run(self, ext: &mut dyn Externalities, heap_pages: u32) -> RawOutcome {
        if u32::try_from(self.input.len()).is_err() {
            return RawOutcome {
                output: Err(Error::InputTooLarge(self.input.len())),
                statistics: Statistics::default(),
                touched_bytes: None,
                allocations: Vec::new(),
            };
        }
        let request = Request {
            entry: self.entry,
            input: self.input,
            heap_pages,
            record_allocations: self.record_allocations,
            count_host_calls: self.count_host_calls,
        };
        let engine = &self.runtime.engine;
        let surface = &self.runtime.surface;
        let calling = Calling::begin();
        let Answer { output, statistics, events, touched } =
            sp_externalities::set_and_run_with_externalities(ext, || engine.call(surface, request));
        drop(calling);
        RawOutcome { output, statistics, touched_bytes: touched, allocations: events }
    }
}

fn unknown_imports<H: HostFunctions>(surface: &Surface) -> Vec<String> {
    let functions = H::host_functions();
    let known = |name: &str| OVERRIDDEN.contains(&name) || functions.iter().any(|function| function.name() == name);
    let mut unknown: Vec<_> = surface
        .imports
        .iter()
        .filter(|(module, name)| module != "env" || !known(name))
        .map(|(module, name)| format!("{module}.{name}"))
        .collect();
    unknown.sort();
    unknown.dedup();
    unknown
}

/// The first custom section of each name.
fn custom_sections(wasm: &[u8]) -> BTreeMap<&str, &[u8]> {
    let mut sections = BTreeMap::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        if let Ok(wasmparser::Payload::CustomSection(section)) = payload {
            sections.entry(section.name()).or_insert(section.data());
        }
    }
    sections
}

/// What the section `heapbase`, a JSON object, says of the allocator.
fn recorded_allocator(sections: &BTreeMap<&str, &[u8]>) -> Option<String> {
    let record: serde_json::Value = serde_json::from_slice(sections.get("heapbase")?).ok()?;
    Some(record.get("allocator")?.as_str()?.to_owned())
}

/// The version in the custom sections `runtime_version` and `runtime_apis`.
fn embedded_version(sections: &BTreeMap<&str, &[u8]>) -> Option<Result<RuntimeVersion, String>> {
    let mut version = *sections.get("runtime_version")?;
    let mut decode = || -> Result<RuntimeVersion, String> {
        let apis = sections.get("runtime_apis").map(|section| {
            // Each entry is 8 bytes of identity and a little-endian version, with nothing around.
            let (entries, rest) = section.as_chunks::<12>();
            if !rest.is_empty() {
                return Err(format!("`runtime_apis` has {} bytes, not a multiple of 12", section.len()));
            }
            entries
                .iter()
                .map(|entry| <([u8; 8], u32)>::decode(&mut entry.as_slice()).map_err(|error| error.to_string()))
                .collect::<Result<Vec<_>, _>>()
        });
        let apis = apis.transpose()?;
        let core = apis.as_ref().and_then(|apis| sp_version::core_version_from_apis(&apis.clone().into()));
        let mut version = RuntimeVersion::decode_with_version_hint(&mut version, core)
            .map_err(|error| format!("`runtime_version` does not decode: {error}"))?;
        if let Some(apis) = apis {
            version.apis = apis.into();
        }
        Ok(version)
    };
    Some(decode())
}

/// The version that a runtime carries, SCALE-encoded, or what its `Core_version` says.
pub(crate) fn read_version<H: HostFunctions>(
    code: &[u8],
    config: &Config,
    ext: &mut dyn Externalities,
) -> Result<Vec<u8>, String> {
    let wasm = decompress(code, config).map_err(|error| error.to_string())?;
    if let Some(version) = embedded_version(&custom_sections(&wasm)) {
        return version.map(|version| version.encode());
    }
    // One cheap call: interpreting answers long before a compiler would.
    let config = Config { engine: Engine::Wasmi, ..config.clone() };
    let runtime = Runtime::with_host_functions::<H>(&wasm, &config).map_err(|error| error.to_string())?;
    runtime.call("Core_version", &[]).with(ext).output.map_err(|error| error.to_string())
}
