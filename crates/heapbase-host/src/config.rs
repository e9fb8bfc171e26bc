//! How a runtime is loaded and what it may use.

use std::path::PathBuf;

/// Number of bytes in a page of Wasm memory.
pub const WASM_PAGE: u64 = 65_536;

/// The number of heap pages that a node gives a runtime when nobody says otherwise: 128 MiB on top of the
/// module's own minimum.
pub const NODE_HEAP_PAGES: u32 = 2_048;

/// Which engine executes the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Engine {
    /// Compiles the whole module to machine code with Cranelift; the result is kept in the [`Cache`].
    #[default]
    Wasmtime,
    /// Interprets, translating each function when it is first called: starts at once, runs slower.
    Wasmi,
    /// [`Engine::Wasmtime`] where the [`Cache`] holds the module's compiled code, else [`Engine::Wasmi`].
    /// [`Runtime::engine`](crate::Runtime::engine) says which it became.
    Auto,
}

impl Engine {
    /// Both engines, for tests and tools that loop over them.
    pub const ALL: [Engine; 2] = [Engine::Wasmtime, Engine::Wasmi];

    /// The name used on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Wasmtime => "wasmtime",
            Engine::Wasmi => "wasmi",
            Engine::Auto => "auto",
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How many pages of memory a call gets on top of the minimum that the module declares.
///
/// Under the legacy spec they are there from the start and `memory.grow` always fails, as on a node; under `v1` they are
/// what the runtime's own allocator may grow into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeapPages {
    /// [`NODE_HEAP_PAGES`].
    #[default]
    NodeDefault,
    /// A fixed number of pages, 0 to 65,536.
    Fixed(u32),
    /// The SCALE-encoded `u64` under `:heappages` of the state, [`NODE_HEAP_PAGES`] where it is absent.
    FromState,
}

/// What happens to a function import that no host function answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownImports {
    /// It becomes a function that traps with the import's name when it is called.
    #[default]
    Trap,
    /// The module is refused with [`Error::UnknownImports`](crate::Error::UnknownImports).
    Refuse,
}

/// Which WebAssembly a module may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Features {
    /// What stock nodes accept: the MVP, and imported or exported mutable globals.
    #[default]
    Node,
    /// Also sign extension, saturating float conversions, multiple results and bulk memory, which current compilers
    /// emit unless told not to. A module that needs these does not run on stock nodes.
    Extended,
}

/// Bounds on what a module may take. Exceeding one is an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a raw module. Default 64 MiB.
    pub module_bytes: usize,
    /// Bytes that a compressed module may decompress to. Default 50 MiB, as on nodes.
    pub decompressed_bytes: usize,
    /// Pages of memory, declared minimum and heap together, 0 to 65,536. Default 65,536 (4 GiB).
    pub memory_pages: u32,
    /// Bytes of native stack that the module's code may use. Default 1 MiB, as on nodes; the calling thread needs about
    /// 256 KiB more for the host's own frames.
    pub stack_bytes: usize,
    /// Elements in each table of functions. Default 65,536.
    pub table_elements: usize,
    /// Bytes that one call may exchange with host functions, in both directions together. Default 4 GiB. What a runtime
    /// stores lives in the host's memory until the call ends, so this is also the bound on that.
    pub host_bytes: u64,
    /// Instructions that one call may execute, roughly, and for each of them 8 of [`Limits::host_bytes`]; `None`, the default, is no bound. Counting costs a few percent
    /// of speed and compiles the module differently.
    pub fuel: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            module_bytes: 64 << 20,
            decompressed_bytes: sp_maybe_compressed_blob::CODE_BLOB_BOMB_LIMIT,
            memory_pages: 65_536,
            stack_bytes: 1 << 20,
            table_elements: 65_536,
            host_bytes: 4 << 30,
            fuel: None,
        }
    }
}

impl Limits {
    /// Bytes that a call may exchange with host functions, also by its fuel.
    pub(crate) fn exchange(&self) -> u64 {
        self.fuel.map_or(self.host_bytes, |fuel| self.host_bytes.min(fuel.saturating_mul(8)))
    }
}

/// Where compiled code is kept between processes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cache {
    /// Nothing is read or written.
    #[default]
    Off,
    /// The folder named by the environment variable `HEAPBASE_CACHE`, else `heapbase` in the platform's cache folder.
    Standard,
    /// This folder, made when it is first written to.
    Folder(PathBuf),
}

impl Cache {
    /// The folder, where there is one.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Cache::Off => None,
            Cache::Folder(folder) => Some(folder.clone()),
            Cache::Standard => match std::env::var_os("HEAPBASE_CACHE") {
                Some(folder) if !folder.is_empty() => Some(folder.into()),
                _ => {
                    let base = etcetera::choose_base_strategy().ok()?;
                    Some(etcetera::BaseStrategy::cache_dir(&base).join("heapbase"))
                }
            },
        }
    }
}

/// Everything that decides how a runtime is loaded and called.
///
/// ```
/// use heapbase_host::{Config, Engine, HeapPages};
///
/// let config = Config { engine: Engine::Wasmi, heap_pages: HeapPages::Fixed(64), ..Config::default() };
/// assert_eq!(config.limits.memory_pages, 65_536);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The engine.
    pub engine: Engine,
    /// Pages of heap.
    pub heap_pages: HeapPages,
    /// Bounds.
    pub limits: Limits,
    /// Imports that nobody answers.
    pub unknown_imports: UnknownImports,
    /// WebAssembly features.
    pub features: Features,
    /// Compiled code kept on disk. Only [`Engine::Wasmtime`] has any.
    pub cache: Cache,
    /// Bytes of each idle memory that stay mapped between calls: the pages that the last calls wrote are copied back
    /// instead of being given to the system and faulted in again. 0 gives everything back. Default 16 MiB.
    pub keep_resident: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            engine: Engine::default(),
            heap_pages: HeapPages::default(),
            limits: Limits::default(),
            unknown_imports: UnknownImports::default(),
            features: Features::default(),
            cache: Cache::default(),
            keep_resident: 16 << 20,
        }
    }
}
