//! The module as it is handed to an engine.
//!
//! ```text
//! before                                          after
//! (import "env" "memory" (memory 23 1024))        (memory 23) (export "memory" (memory 0))
//! (data (i32.const 1048576) "…")                  in the memory image, not in the module
//! ```
//!
//! The memory becomes the module's own, so that an engine makes it together with the instance; its maximum goes, because
//! the host's limits bound it; data segments with constant addresses move into the image from which every call's memory is
//! copied on write. All other sections pass byte for byte, so function indices stay and code only moves as a whole; only for
//! wasmi is something put into the code, see [`guard`](crate::guard). The alternative, providing the memory as an import,
//! would leave the engine to copy the data segments anew for every call.

use std::borrow::Cow;

use wasm_encoder::{ExportKind, ImportSection, MemorySection, MemoryType, RawSection, SectionId, reencode::Reencode};
use wasmparser::{Parser, Payload, TypeRef};

use crate::{error::Error, guard::Guarded, surface::Surface};

/// A module ready for an engine.
pub(crate) struct Prepared {
    pub(crate) wasm: Vec<u8>,
    /// How far the code section lies from where it lay: add to an offset in `wasm` to get one in the original. Means nothing
    /// where code is guarded.
    pub(crate) code_shift: i64,
}

/// Which engine a module is for.
#[derive(Clone, Copy)]
pub(crate) enum For<'a> {
    /// wasmtime, which makes memories from an image: the data segments go.
    Wasmtime,
    /// wasmi, which needs a guard before each `select`, at these offsets.
    Wasmi(&'a [usize]),
}

/// Rewrites the module; its memory begins with so many pages.
pub(crate) fn prepare(wasm: &[u8], surface: &Surface, memory_pages: u64, engine: For<'_>) -> Result<Prepared, Error> {
    let (strip_data, selects) = match engine {
        For::Wasmtime => (surface.segments.is_some(), &[][..]),
        For::Wasmi(selects) => (false, selects),
    };
    let mut out = wasm_encoder::Module::new();
    let mut code_start = None;
    let mut memory_written = false;
    let memory = {
        let mut section = MemorySection::new();
        section.memory(MemoryType {
            minimum: memory_pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        section
    };
    let mut reencode = wasm_encoder::reencode::RoundtripReencoder;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| lost(error.offset() as usize, error.message()))?;
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        let range = range.start as usize..range.end as usize;
        // An imported memory is defined right before the first section that has to come after the memories.
        if id > SectionId::Memory as u8 && !memory_written {
            out.section(&memory);
            memory_written = true;
        }
        match payload {
            Payload::ImportSection(imports) => {
                let mut section = ImportSection::new();
                for import in imports.into_imports() {
                    let import = import.map_err(|error| lost(error.offset() as usize, error.message()))?;
                    if !matches!(import.ty, TypeRef::Memory(_)) {
                        let ty =
                            reencode.entity_type(import.ty).map_err(|error| lost(range.start, &error.to_string()))?;
                        section.import(import.module, import.name, ty);
                    }
                }
                out.section(&section);
            }
            Payload::MemorySection(_) => {
                out.section(&memory);
                memory_written = true;
            }
            Payload::ExportSection(exports) if !surface.memory_exported => {
                let mut section = wasm_encoder::ExportSection::new();
                reencode
                    .parse_export_section(&mut section, exports)
                    .map_err(|error| lost(range.start, &error.to_string()))?;
                section.export("memory", ExportKind::Memory, 0);
                out.section(&section);
            }
            Payload::CodeSectionStart { .. } if !selects.is_empty() => {
                let guarded = Guarded::new(wasm, range, selects);
                out.section(&guarded.map_err(|error| lost(error.offset() as usize, error.message()))?);
            }
            Payload::DataSection(_) if strip_data => {}
            // Custom sections other than the names mean nothing to an engine.
            Payload::CustomSection(custom) if custom.name() != "name" => {}
            _ => {
                out.section(&RawSection { id, data: &wasm[range.clone()] });
                if id == SectionId::Code as u8 {
                    code_start = Some(out.len() - range.len());
                }
            }
        }
    }
    let code_shift = code_start.map_or(0, |start| surface.code_start as i64 - start as i64);
    Ok(Prepared { wasm: out.finish(), code_shift })
}

fn lost(offset: usize, message: &str) -> Error {
    Error::Invalid { message: message.to_owned(), section: "module", offset }
}

/// The pages of memory that hold data when a call begins.
#[derive(Debug, Clone)]
pub(crate) struct Image<'a> {
    /// First address, a multiple of [`Image::ALIGN`].
    pub(crate) start: usize,
    /// Bytes, a multiple of [`Image::ALIGN`].
    pub(crate) len: usize,
    /// Address and bytes of each segment, to be written in this order.
    pub(crate) parts: Vec<(usize, Cow<'a, [u8]>)>,
}

impl<'a> Image<'a> {
    /// A multiple of every page size in use on the supported systems (4, 16 and 64 KiB), and a Wasm page.
    pub(crate) const ALIGN: usize = 65_536;

    /// Lays the data segments out. `None` where there is no data to lay.
    pub(crate) fn new(wasm: &'a [u8], surface: &Surface) -> Option<Self> {
        let segments = surface.segments.as_ref()?;
        let parts: Vec<_> = segments
            .iter()
            .filter(|segment| !segment.bytes.is_empty())
            .map(|segment| (segment.start as usize, Cow::Borrowed(&wasm[segment.bytes.clone()])))
            .collect();
        let first = parts.iter().map(|(start, _)| *start).min()?;
        let last = parts.iter().map(|(start, bytes)| start + bytes.len()).max()?;
        let start = first / Self::ALIGN * Self::ALIGN;
        Some(Image { start, len: last.next_multiple_of(Self::ALIGN) - start, parts })
    }
}
