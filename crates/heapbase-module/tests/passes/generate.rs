//! Random modules that end by themselves and import nothing.

use arbitrary::{Result, Unstructured};
use heapbase_module::lower;
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_smith::{Config, InstructionKind, InstructionKinds, Module};

/// What a module is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lower,
    Prune,
    Canonical,
}

/// Options of lowering.
pub(crate) fn options(u: &mut Unstructured<'_>) -> Result<lower::Options> {
    let mut options = lower::Options::default();
    if u.ratio(1, 3)? {
        options.sign_extension = u.arbitrary()?;
        options.bulk_memory = u.arbitrary()?;
        options.mutable_globals = u.arbitrary()?;
    }
    Ok(options)
}

/// Makes a module.
pub(crate) fn module(u: &mut Unstructured<'_>, kind: Kind, options: &lower::Options) -> Result<Vec<u8>> {
    let mut config = Config {
        bulk_memory_enabled: true,
        canonicalize_nans: kind != Kind::Canonical,
        compact_imports_enabled: false,
        disallow_traps: u.ratio(2, 3)?,
        exceptions_enabled: false,
        export_everything: true,
        gc_enabled: false,
        max_imports: 0,
        max_instructions: *u.choose(&[40, 100, 400])?,
        max_memory32_bytes: 3 << 16,
        max_table_elements: 2_000,
        max_elements: 20,
        max_types: 20,
        max_funcs: 12,
        max_globals: 8,
        max_values: 6,
        max_data_segments: 6,
        max_element_segments: 6,
        memory64_enabled: false,
        memory_max_size_required: true,
        min_funcs: 2,
        min_memories: 1,
        min_tables: 1,
        min_uleb_size: *u.choose(&[1, 1, 1, 5])?,
        multi_value_enabled: true,
        reference_types_enabled: u.ratio(1, 12)?,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        tail_call_enabled: kind == Kind::Prune,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    };
    if u.ratio(7, 8)? {
        use InstructionKind as K;
        config.allowed_instructions =
            InstructionKinds::new(&[K::Numeric, K::Parametric, K::Variable, K::Memory, K::Control]);
    }
    let mut module = Module::new(config, u)?;
    // Random code that only ends by itself is rare.
    let wasm = if module.ensure_termination(2_000).is_ok() { module.to_bytes() } else { return Ok(Vec::new()) };
    Ok(presentable(&wasm, options))
}

/// Without exports that lowering refuses or drops.
fn presentable(wasm: &[u8], options: &lower::Options) -> Vec<u8> {
    let mut several = Vec::new();
    let mut mutable = Vec::new();
    let mut types = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        match payload.expect("wasm-smith makes modules") {
            wasmparser::Payload::TypeSection(section) => {
                types.extend(section.into_iter_err_on_gc_types().map(|ty| ty.expect("a function").results().len() > 1));
            }
            wasmparser::Payload::FunctionSection(section) => {
                several.extend(section.into_iter().map(|ty| types[ty.expect("readable") as usize]));
            }
            wasmparser::Payload::GlobalSection(section) => {
                mutable.extend(section.into_iter().map(|global| global.expect("readable").ty.mutable));
            }
            _ => {}
        }
    }
    let mut hide = Hide { several, mutable: if options.mutable_globals { Vec::new() } else { mutable } };
    let mut out = wasm_encoder::Module::new();
    hide.parse_core_module(&mut out, wasmparser::Parser::new(0), wasm).expect("it is only written again");
    out.finish()
}

struct Hide {
    several: Vec<bool>,
    mutable: Vec<bool>,
}

impl Reencode for Hide {
    type Error = std::convert::Infallible;

    fn parse_export(
        &mut self,
        exports: &mut wasm_encoder::ExportSection,
        export: wasmparser::Export<'_>,
    ) -> std::result::Result<(), reencode::Error<Self::Error>> {
        let index = export.index as usize;
        let hidden = match export.kind {
            wasmparser::ExternalKind::Func => self.several.get(index) == Some(&true),
            wasmparser::ExternalKind::Global => self.mutable.get(index) == Some(&true),
            wasmparser::ExternalKind::Table => true,
            _ => false,
        };
        if hidden { Ok(()) } else { utils::parse_export(self, exports, export) }
    }
}
