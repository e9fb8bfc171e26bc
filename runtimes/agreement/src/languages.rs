//! The languages, and where their ledgers are. A language more is a row more.

use heapbase_host::{Config, Engine, HeapPages, Runtime};
use sp_wasm_interface::HostFunctions;
use std::path::{Path, PathBuf};

/// A language that the ledger is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    /// For people.
    pub name: &'static str,
    /// Its folder in `runtimes/`, whose `build` makes the ledger.
    pub folder: &'static str,
}

/// All of them; the first is the reference.
pub const LANGUAGES: [Language; 5] = [
    Language { name: "Rust", folder: "rust" },
    Language { name: "Go", folder: "go" },
    Language { name: "AssemblyScript", folder: "assemblyscript" },
    Language { name: "Zig", folder: "zig" },
    Language { name: "C", folder: "c" },
];

/// The allocator specs that each is built for, as in the names of files.
pub const SPECS: [&str; 2] = ["v1", "local"];

/// The folder `runtimes/`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap_or_else(|_| "..".into())
}

/// The file with the metadata in a version.
pub fn metadata_file(version: u32) -> PathBuf {
    folder().join(format!("ledger/metadata-v{version}.scale"))
}

impl Language {
    /// The ledger for an allocator spec.
    pub fn file(self, spec: &str) -> PathBuf {
        folder().join(self.folder).join("out").join(format!("ledger-{spec}.wasm"))
    }
}

/// A ledger, loaded.
pub struct Subject {
    /// In what it is written.
    pub language: Language,
    /// For which allocator spec it was built.
    pub spec: &'static str,
    /// What executes it.
    pub engine: Engine,
    /// The module.
    pub code: Vec<u8>,
    /// The module, ready.
    pub runtime: Runtime,
}

impl Subject {
    /// Loads a ledger, with the host functions of a node.
    ///
    /// # Errors
    /// What keeps it from being loaded: it was not built, the host refuses it, or it calls itself by another version.
    pub fn load(language: Language, spec: &'static str, engine: Engine) -> Result<Self, String> {
        Self::load_with::<sp_io::SubstrateHostFunctions>(language, spec, engine)
    }

    /// Loads a ledger, with host functions of the caller's choice.
    ///
    /// # Errors
    /// As [`Subject::load`].
    pub fn load_with<H: HostFunctions>(language: Language, spec: &'static str, engine: Engine) -> Result<Self, String> {
        let file = language.file(spec);
        let code = std::fs::read(&file).map_err(|error| {
            format!("{}: {error}; build it with `runtimes/{}/build`", file.display(), language.folder)
        })?;
        // An interpreter writes all of the heap's memory in each call.
        let heap_pages = HeapPages::Fixed(if engine == Engine::Wasmi { 64 } else { 2048 });
        let config = Config { engine, heap_pages, ..Config::default() };
        let runtime = Runtime::with_host_functions::<H>(&code, &config)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        if let [unknown, ..] = runtime.unknown_imports() {
            return Err(format!("{}: it imports `{unknown}`, which no host knows", file.display()));
        }
        // Not every toolchain writes the sections from which nodes read it.
        if let Some(version) = runtime.embedded_version()
            && version != Ok(&crate::model::version())
        {
            return Err(format!("{}: its section `runtime_version` says {version:?}", file.display()));
        }
        Ok(Subject { language, spec, engine, code, runtime })
    }

    /// Language, allocator spec, engine.
    pub fn name(&self) -> String {
        format!("{} {} on {}", self.language.name, self.spec, self.engine)
    }
}
