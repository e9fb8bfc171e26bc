//! Makes a runtime of what a language's stock toolchain emits.
//!
//! Compilers emit modules for a system: they import WASI, own and grow their memory, want to be initialised, and use what came
//! after WebAssembly 1.0. Nodes want the opposite. [`adapt`] turns the one into the other, without the source and without a
//! fork of the compiler.
//!
//! The steps, each documented in its file by the module before and after:
//!
//! 1. `check`: threads, 64-bit or several memories, references and the like are refused, by name and offset.
//!    [`canonical`](crate::canonical) comes first of all, so that not even initialising sees a NaN of this machine.
//! 2. `heap`: the language's heap gets an arena below `__heap_base`, from which `memory.grow` is answered.
//! 3. `wasi`: what the module asks of a system is answered inside it.
//! 4. `initialise`: `_initialize` runs here, once, and the module keeps the memory and the globals as they are then.
//! 5. `entries`: functions of the type `(i32, i32) -> i64` are exported, everything else is not.
//! 6. `memory`: it is imported or exported, and the names of the linker come.
//!    What nothing reaches any more goes ([`prune`](mod@crate::prune)), and the rest is lowered to the first release of WebAssembly
//!    ([`lower`](mod@crate::lower)).
//! 7. Under v1 an embedded allocator serves the host ([`crate::convert`]): the language's own runtime is never entered in the middle of
//!    something else. A module whose heap was the host's gets the arena of a conversion.
//! 8. The custom sections: `runtime_version` and `runtime_apis` where a [`Version`] is given, and the record of what was done.
//!
//! The same input gives the same bytes.
//!
//! ```
//! use heapbase_module::{Spec, adapt::{Options, adapt}};
//!
//! let module = wat::parse_str(
//!     r#"(module
//!          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
//!          (memory (export "memory") 1)
//!          (global $ready (mut i32) (i32.const 0))
//!          (func (export "_initialize") (global.set $ready (i32.const 1)))
//!          (func (export "Core_version") (param i32 i32) (result i64)
//!            (if (i32.eqz (global.get $ready)) (then (call $exit (i32.const 1))))
//!            (i64.const 0)))"#,
//! )?;
//! let runtime = adapt(&module, &Options::new(Spec::Local))?;
//! let report = heapbase_module::inspect(&runtime.wasm)?;
//! assert_eq!(report.spec, Spec::Local);
//! assert!(report.imports.iter().all(|import| import.module == "env"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod entries;
mod error;
mod heap;
mod initialise;
mod memory;
mod module;
mod sandbox;
mod system;
mod version;
mod wasi;
mod write;

pub use error::AdaptError;
pub use version::Version;

use crate::convert::{self, Allocator};
use crate::pass::counted;
use crate::record::{Adapted, Record, SECTION};
use crate::{Blake2_256, Spec};
use module::{Custom, Module, WASM_PAGE};
use serde::{Deserialize, Serialize};
use wasm_encoder::{CustomSection, Section};
use wasmparser::{Validator, WasmFeatures};

/// The arena of a language's heap unless another size is asked for: 16 MiB.
pub const DEFAULT_ARENA: u32 = 16 * 1024 * 1024;

/// How many instructions initialising may take unless another number is given.
pub const DEFAULT_STEPS: u64 = 4_000_000_000;

/// What Go's collector is told to leave of the arena for what it does not count.
const GO_RESERVE: u32 = 2 * 1024 * 1024;

/// The sections from which nodes read the version and the list of APIs.
const VERSION: &str = "runtime_version";
const APIS: &str = "runtime_apis";

/// Engines map the memory image of a module up to this size for every call, however sparse it is; a larger one only if half of it is
/// data, and copy it otherwise.
const MAPPED: u64 = 16 * 1024 * 1024;

/// What copying so many bytes costs is less than one page fault.
const COPIED: u64 = 4096;

/// How host and runtime share the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MemoryLink {
    /// As the import `env.memory`, like most runtimes.
    #[default]
    Imported,
    /// As the export `memory`.
    Exported,
}

/// When a module is initialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Init {
    /// Here, once; calls begin with what came of it.
    #[default]
    Snapshot,
    /// In every call, before the entry point.
    Lazy,
}

/// An entry point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// What hosts call it.
    pub name: String,
    /// What the module exports it as.
    pub export: String,
}

impl Entry {
    /// An entry point under a name of its own.
    pub fn renamed(name: impl Into<String>, export: impl Into<String>) -> Self {
        Self { name: name.into(), export: export.into() }
    }

    /// An entry point under the name it is exported as.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { export: name.clone(), name }
    }
}

/// How to adapt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options<'a> {
    /// The spec that the result follows, [`Spec::V1`] or [`Spec::Local`].
    pub to: Spec,
    /// Bytes of the arena, rounded up to pages of 64 KiB; at most what the module itself sets as its memory's maximum.
    pub arena: u32,
    /// How the memory is shared.
    pub memory: MemoryLink,
    /// When the module is initialised.
    pub init: Init,
    /// The entry points; where none is named, every exported function of the type `(i32, i32) -> i64`.
    pub entries: Vec<Entry>,
    /// Other exports that stay.
    pub keep: Vec<String>,
    /// The environment that the program sees: names and values. A Go program sees `GOMEMLIMIT` besides, unless it is named here.
    pub environment: Vec<(String, String)>,
    /// Where random numbers begin; the first 8 bytes of the module's BLAKE2-256 where none is given.
    pub seed: Option<u64>,
    /// The version that nodes read.
    pub version: Option<Version>,
    /// The allocator that serves the host under v1, or that takes the place of the host's.
    pub allocator: Allocator<'a>,
    /// How many instructions initialising may take.
    pub steps: u64,
    /// Whether every NaN gets one bit pattern, so that machines agree. Only for a module whose NaNs never reach its state may it
    /// be left off.
    pub canonical: bool,
    /// What the runtime may use beyond the first release of WebAssembly.
    pub features: crate::lower::Options,
}

impl Options<'_> {
    /// An arena of [`DEFAULT_ARENA`], an imported memory, initialised beforehand, every entry point.
    pub fn new(to: Spec) -> Self {
        Self {
            to,
            arena: DEFAULT_ARENA,
            memory: MemoryLink::default(),
            init: Init::default(),
            entries: Vec::new(),
            keep: Vec::new(),
            environment: Vec::new(),
            seed: None,
            version: None,
            allocator: Allocator::default(),
            steps: DEFAULT_STEPS,
            canonical: true,
            features: crate::lower::Options::default(),
        }
    }
}

impl<'a> Options<'a> {
    /// The options of an adaptation that is recorded, with the allocator that the record names.
    pub(crate) fn recorded(record: &Record, adapted: &Adapted, allocator: Allocator<'a>) -> Self {
        let on = |feature: &str| adapted.features.iter().any(|other| other == feature);
        let features = crate::lower::Options {
            bulk_memory: on("bulk-memory"),
            sign_extension: on("sign-extension"),
            mutable_globals: on("mutable-globals"),
        };
        Self {
            to: record.to,
            arena: record.arena,
            memory: adapted.memory,
            init: adapted.init,
            entries: adapted.entries.clone(),
            keep: adapted.keep.clone(),
            environment: adapted.environment.clone(),
            seed: Some(adapted.seed),
            version: adapted.version.clone(),
            allocator,
            steps: adapted.steps,
            canonical: adapted.canonical,
            features,
        }
    }
}

/// An adapted module, and what was done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Adaptation {
    /// The runtime.
    pub wasm: Vec<u8>,
    /// The spec that it follows.
    pub to: Spec,
    /// What was done, a sentence each.
    pub changes: Vec<String>,
    /// What somebody should know before using the result.
    pub warnings: Vec<String>,
    /// The record that the runtime carries.
    pub record: Record,
}

/// Adapts a module; see [the module](self).
///
/// # Errors
///
/// [`AdaptError`] says what the module has that cannot be adapted, and where. Never panics, whatever the bytes.
pub fn adapt(wasm: &[u8], options: &Options<'_>) -> Result<Adaptation, AdaptError> {
    if options.to == Spec::Legacy {
        return Err(AdaptError::Target(options.to));
    }
    check::check(wasm)?;
    let mut told = Told::default();
    let module = Module::read(wasm)?;
    if let Some(record) = module.customs.iter().find(|custom| custom.name == SECTION) {
        let to = Record::read(&record.data).map_or(Spec::Legacy, |record| record.to);
        return Err(AdaptError::Already(to));
    }
    let adapted = adapted(wasm, &module, options);
    let mut record = Record::adapted(options, adapted.clone(), &Blake2_256::of(wasm));
    wasi::check(&module)?;
    let canonical = if options.canonical { Some(crate::canonical::canonicalise(wasm)?) } else { None };
    let mut module = match &canonical {
        Some(canonical) => Module::read(&canonical.wasm)?,
        None => module,
    };
    let data_end = module.exported_constant(memory::DATA_END).map_or_else(|| module.data_end(), u64::from);
    let plan = heap::plan(&mut module, options.arena)?;
    let environment = system::environment(&adapted.environment)?;
    let settings = system::Settings { scratch: plan.floor, seed: adapted.seed, arena: plan.arena_pages(), environment };
    let answered = wasi::answer(&mut module, settings, plan.grows())?;
    let scratch = if answered.uses_scratch { system::SCRATCH } else { 0 };
    let heap_base = heap::reserve(&mut module, &plan, scratch, answered.refuse)?;
    told.heap(&answered, &plan, heap_base);
    if let Some(canonical) = &canonical {
        told.passed(canonical);
    }

    let first = match options.init {
        Init::Snapshot => {
            let settings = initialise::Settings {
                floor: plan.floor,
                heap_base,
                exited: answered.exited,
                cleared: answered.cleared.clone(),
                steps: options.steps,
            };
            told.initialised(&initialise::initialise(&mut module, &settings)?);
            Vec::new()
        }
        Init::Lazy => {
            let initialisers = initialise::initialisers(&module)?;
            module.start = None;
            if !initialisers.is_empty() {
                told.change("every call initialises anew, before the entry point".to_owned());
            }
            initialisers
        }
    };
    told.image(&module);
    told.entries(&entries::choose(&mut module, options.to, &options.entries, &options.keep, &first)?);
    memory::link(&mut module, options.memory, u32::try_from(data_end).unwrap_or(u32::MAX));
    told.customs(&mut module, options.version.is_some());
    let pruned = crate::prune::prune(&module.write()?, &crate::prune::Options::default())?;
    told.passed(&pruned);
    let lowered = crate::lower::lower(&pruned.wasm, &options.features)?;
    told.passed(&lowered);
    // Only now: a table that others see cannot be made shorter.
    let mut result = memory::name_table(&lowered.wasm)?.unwrap_or(lowered.wasm);
    if options.to == Spec::V1 || plan.host_heap {
        result = put_allocator_in(&result, options, &mut record, &mut told)?;
    }
    write_sections(&mut result, options, &record, &mut told)?;
    let features = options.features.features();
    let of_nodes = WasmFeatures::MVP | WasmFeatures::MUTABLE_GLOBAL;
    if !of_nodes.contains(features) && Validator::new_with_features(of_nodes).validate_all(&result).is_err() {
        let stayed = record.adapted.as_ref().map_or_else(String::new, |adapted| adapted.features.join(" or "));
        told.warnings.push(format!(
            "uses {stayed}, which was asked to stay: nodes as they are refuse such a module, and heapbase-host does what they do"
        ));
    }
    let validated = Validator::new_with_features(features).validate_all(&result);
    validated.map_err(|error| AdaptError::Result { message: error.message().to_owned(), offset: error.offset() })?;
    Ok(Adaptation { wasm: result, to: options.to, changes: told.changes, warnings: told.warnings, record })
}

/// Lets an embedded allocator serve the host, or take the place of the host's.
fn put_allocator_in(
    wasm: &[u8],
    options: &Options<'_>,
    record: &mut Record,
    told: &mut Told,
) -> Result<Vec<u8>, AdaptError> {
    let mut how = convert::Options::new(options.to);
    how.allocator = options.allocator.clone();
    how.arena = options.arena;
    let conversion = convert::put_in(wasm, &how).map_err(AdaptError::Allocator)?;
    told.changes.extend(conversion.changes);
    told.warnings.extend(conversion.warnings);
    if let Some(done) = conversion.record {
        record.allocator = done.allocator;
        record.allocator_blake2_256 = done.allocator_blake2_256;
    }
    Ok(conversion.wasm)
}

/// The sections that come: the version, and the record last, because it says all that went before.
fn write_sections(
    wasm: &mut Vec<u8>,
    options: &Options<'_>,
    record: &Record,
    told: &mut Told,
) -> Result<(), AdaptError> {
    if let Some(version) = &options.version {
        let (version, apis) = version.sections()?;
        CustomSection { name: VERSION.into(), data: version.into() }.append_to(wasm);
        CustomSection { name: APIS.into(), data: apis.into() }.append_to(wasm);
        told.change(format!("wrote the sections `{VERSION}` and `{APIS}`"));
    }
    CustomSection { name: SECTION.into(), data: record.write().into() }.append_to(wasm);
    Ok(())
}

/// What the module will say about itself: everything that the result depends on besides the input.
fn adapted(wasm: &[u8], module: &Module<'_>, options: &Options<'_>) -> Adapted {
    let mut environment = options.environment.clone();
    let is_go = module.customs.iter().any(|custom| custom.name == "go:buildid");
    if is_go && !environment.iter().any(|(name, _)| name == "GOMEMLIMIT") {
        let limit = options.arena.saturating_sub(GO_RESERVE).max(options.arena / 2);
        environment.push(("GOMEMLIMIT".to_owned(), limit.to_string()));
    }
    let features = [
        ("bulk-memory", options.features.bulk_memory),
        ("sign-extension", options.features.sign_extension),
        ("mutable-globals", options.features.mutable_globals),
    ];
    Adapted {
        memory: options.memory,
        init: options.init,
        entries: options.entries.clone(),
        keep: options.keep.clone(),
        environment,
        seed: options.seed.unwrap_or_else(|| Blake2_256::of(wasm).first_u64()),
        version: options.version.clone(),
        steps: options.steps,
        canonical: options.canonical,
        features: features.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect(),
    }
}

/// What is said of the adaptation.
#[derive(Default)]
struct Told {
    changes: Vec<String>,
    warnings: Vec<String>,
}

impl Told {
    fn change(&mut self, change: String) {
        self.changes.push(change);
    }

    fn passed(&mut self, passed: &crate::pass::Passed) {
        self.changes.extend(passed.changes.iter().cloned());
        self.warnings.extend(passed.warnings.iter().cloned());
    }

    fn heap(&mut self, answered: &wasi::Answered, plan: &heap::Plan, heap_base: u32) {
        for (count, whose) in [(answered.wasi, "WASI preview 1"), (answered.script, "AssemblyScript")] {
            if count > 0 {
                self.change(format!("answered {} of {whose} inside the module", counted(count, "import", "imports")));
            }
        }
        if answered.reports_failures {
            self.change("a failure's text on standard error reaches the host's panic handler".to_owned());
        }
        if plan.arena_pages() > 0 {
            self.change(format!(
                "gave the language an arena of {} pages of 64 KiB, from which `memory.grow` is answered",
                plan.arena_pages()
            ));
        }
        self.change(format!("`{}` is {heap_base:#x}", convert::HEAP_BASE));
        let pages = u64::from(heap_base).div_ceil(WASM_PAGE);
        if pages > convert::VALIDATION_PAGES {
            self.warnings.push(format!(
                "the host's heap begins behind {pages} pages of 64 KiB; a relay chain's usual limit for validating a \
                 parachain's block is {} in all: choose a smaller --arena",
                convert::VALIDATION_PAGES
            ));
        }
    }

    fn initialised(&mut self, initialised: &initialise::Initialised) {
        if initialised.ran.is_empty() {
            return;
        }
        self.change(format!(
            "ran `{}` and kept what came of it: {} bytes in {}",
            initialised.ran.join("` and `"),
            initialised.bytes,
            counted(initialised.segments, "segment", "segments")
        ));
        self.warnings.extend(initialised.said.iter().map(|line| format!("while initialising it wrote: {line}")));
    }

    /// Where the data lie, whoever put them there.
    fn image(&mut self, module: &Module<'_>) {
        let bytes: u64 =
            module.data.iter().filter(|data| data.start.is_some()).map(|data| data.bytes.len() as u64).sum();
        let end = module.data_end();
        if end > MAPPED && bytes < end / 2 && bytes > COPIED {
            self.warnings.push(format!(
                "data reaches up to {end:#x}: engines copy the {bytes} bytes of such a module for every call, instead of mapping them; \
                 link it with its stack behind the data, or a smaller one, and initialise less"
            ));
        }
    }

    fn entries(&mut self, entries: &entries::Entries) {
        let points = if entries.names.len() == 1 { "entry point" } else { "entry points" };
        self.change(format!("exported the {points} `{}`", entries.names.join("`, `")));
        if !entries.dropped.is_empty() {
            let exports = if entries.dropped.len() == 1 { "export" } else { "exports" };
            self.change(format!("dropped the {exports} `{}`", entries.dropped.join("`, `")));
        }
    }

    /// Drops custom sections that speak of what has changed, and adds heapbase to the producers.
    fn customs(&mut self, module: &mut Module<'_>, versioned: bool) {
        let is_stale = |name: &str| {
            convert::holds_code_places(name)
                || ["target_features", "linking"].contains(&name)
                || name.starts_with("reloc.")
                || (versioned && [VERSION, APIS].contains(&name))
        };
        let dropped: Vec<_> = module.customs.iter().map(|custom| &*custom.name).filter(|name| is_stale(name)).collect();
        if !dropped.is_empty() {
            let sections = if dropped.len() == 1 { "section" } else { "sections" };
            self.changes.push(format!("dropped the custom {sections} `{}`", dropped.join("`, `")));
        }
        module.customs.retain(|custom| !is_stale(&custom.name));
        let producers = module.customs.iter_mut().find(|custom| custom.name == "producers");
        match producers {
            Some(producers) => {
                if let Some(contents) = convert::with_producer(&producers.data) {
                    producers.data = contents.into();
                }
            }
            None => {
                let data = convert::with_producer(&[0]).unwrap_or_default().into();
                module.customs.push(Custom { name: "producers".into(), data });
            }
        }
    }
}
