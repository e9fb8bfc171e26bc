//! Writes a module in which functions moved and others were added. Everything else is copied as it lies.

use super::{
    error::{ConvertError, invalid},
    glue::{Added, Type},
    survey::{Section, Survey},
};
use crate::SectionKind;
use crate::splice::appended;
use wasm_encoder::{
    CodeSection, CustomSection, Encode, ExportKind, ExportSection, ImportSection, Module, RawSection,
    reencode::{self, Reencode},
};
use wasmparser::{BinaryReader, FuncType};

/// What a module becomes.
pub(super) struct Output<'a> {
    pub(super) survey: &'a Survey<'a>,
    /// What a reference to each function becomes; `None` for those that nothing may refer to any more.
    pub(super) functions: Vec<Option<u32>>,
    /// Where each function itself is now; `None` for those that go.
    pub(super) places: Vec<Option<u32>>,
    /// Names of imported functions that come, by their index.
    pub(super) imported_names: Vec<(u32, String)>,
    /// Names of their parameters.
    pub(super) imported_locals: Vec<(u32, Vec<(u32, String)>)>,
    /// Positions of imports that go.
    pub(super) dropped_imports: Vec<u32>,
    /// Imports of functions that come, by position in the result: field, type index. In the module `env`.
    pub(super) added_imports: Vec<(u32, &'static str, u32)>,
    /// How many of the module's own types and functions stay.
    pub(super) types: u32,
    pub(super) own_functions: u32,
    pub(super) minimum: u64,
    pub(super) maximum: Option<u64>,
    /// Value of `__heap_base`, and whether it is a global of its own behind the others.
    pub(super) heap_base: Option<u32>,
    pub(super) heap_base_global: HeapBaseGlobal,
    /// The name of an export that changes, and what it is called then.
    pub(super) renamed: Option<(&'static str, &'static str)>,
    pub(super) exports: Vec<(&'static str, u32)>,
    /// Bodies of the module's own functions, where they changed.
    pub(super) bodies: Vec<Option<Vec<u8>>>,
    /// Functions that took the place of one of the module's own: index, name, type.
    pub(super) slot_names: Vec<(u32, String, Type)>,
    pub(super) added: Vec<Added>,
    pub(super) producer: Producer,
    /// The contents of the section `heapbase`, if there is to be one.
    pub(super) record: Option<Vec<u8>>,
}

/// Which global `__heap_base` becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeapBaseGlobal {
    /// The one it is, with a new value, or without.
    InPlace,
    /// One behind the module's own, which the export leads to.
    Added,
    /// The last one is taken away; the export goes back to this one, or goes too.
    Removed(Option<u32>),
}

/// What becomes of heapbase's line in the section `producers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Producer {
    /// It is added.
    Add,
    /// It is taken away; the whole section, if it was heapbase that made it.
    Remove,
}

impl Output<'_> {
    fn function(&self, index: u32) -> Result<u32, ConvertError> {
        self.functions
            .get(index as usize)
            .copied()
            .flatten()
            .ok_or_else(|| ConvertError::Record(format!("function {index} is still used, and is to be taken away")))
    }

    /// The new module.
    pub(super) fn write(&self) -> Result<Vec<u8>, ConvertError> {
        let survey = self.survey;
        // Types of the added functions: the module's own where there is one.
        let mut new_types: Vec<&FuncType> = Vec::new();
        let mut type_of = |ty| {
            let ty = match ty {
                &Type::Number(index) => return index,
                Type::Like(ty) => ty,
            };
            let own = survey.types.iter().take(self.types as usize).position(|own| own.as_ref() == Some(ty));
            let new = || new_types.iter().position(|new| *new == ty).map(|place| self.types as usize + place);
            let index = own.or_else(new).unwrap_or_else(|| {
                new_types.push(ty);
                self.types as usize + new_types.len() - 1
            });
            index as u32
        };
        let added_types: Vec<u32> = self.added.iter().map(|added| type_of(&added.ty)).collect();
        let slot_types: Vec<(u32, u32)> = self.slot_names.iter().map(|(index, _, ty)| (*index, type_of(ty))).collect();

        let mut module = Module::new();
        let mut wrote_export = false;
        for section in &survey.sections {
            match section.kind {
                SectionKind::Type => self.types(&mut module, section, &new_types)?,
                SectionKind::Import => self.imports(&mut module, section)?,
                SectionKind::Function => {
                    let mut items = Vec::new();
                    added_types.iter().for_each(|ty| ty.encode(&mut items));
                    let own = self.function_types(survey.contents(section), &slot_types)?;
                    raw(
                        &mut module,
                        section,
                        &appended(&own, added_types.len() as u32, &items).map_err(|e| invalid(&e))?,
                    );
                }
                // A section may be empty, beside a memory that is imported.
                SectionKind::Memory if survey.contents(section) != [0] => {
                    let mut memories = wasm_encoder::MemorySection::new();
                    memories.memory(wasm_encoder::MemoryType {
                        minimum: self.minimum,
                        maximum: self.maximum,
                        memory64: false,
                        shared: false,
                        page_size_log2: None,
                    });
                    module.section(&memories);
                }
                SectionKind::Global => self.globals(&mut module, section)?,
                SectionKind::Export => {
                    self.exports(&mut module);
                    wrote_export = true;
                }
                SectionKind::Start => {
                    let start = BinaryReader::new(survey.contents(section), section.range.start as u64).read_var_u32();
                    let function_index = self.function(start.map_err(|error| invalid(&error))?)?;
                    module.section(&wasm_encoder::StartSection { function_index });
                }
                SectionKind::Table | SectionKind::Element => self.reencoded(&mut module, section)?,
                SectionKind::Code => self.code(&mut module),
                SectionKind::Custom => super::custom::write(self, &mut module, section),
                _ => raw(&mut module, section, survey.contents(section)),
            }
        }
        debug_assert!(wrote_export);
        if self.producer == Producer::Add && survey.custom("producers").is_none() {
            module.section(&super::custom::own_producers());
        }
        if let Some(record) = &self.record {
            module.section(&CustomSection { name: crate::record::SECTION.into(), data: record.into() });
        }
        Ok(module.finish())
    }

    /// The types of the module's own functions, and of those that took the place of one.
    fn function_types(&self, contents: &[u8], slots: &[(u32, u32)]) -> Result<Vec<u8>, ConvertError> {
        if slots.is_empty() {
            return truncated(contents, self.own_functions);
        }
        let imported =
            self.survey.imported_functions + self.added_imports.len() as u32 - self.dropped_imports.len() as u32;
        let own = self.survey.functions.iter().skip(self.survey.imported_functions as usize);
        let mut bytes = Vec::new();
        self.own_functions.encode(&mut bytes);
        for (place, ty) in own.take(self.own_functions as usize).enumerate() {
            let slot = slots.iter().find(|(index, _)| *index == imported + place as u32);
            slot.map_or(*ty, |(_, ty)| *ty).encode(&mut bytes);
        }
        Ok(bytes)
    }

    fn types(&self, module: &mut Module, section: &Section<'_>, new: &[&FuncType]) -> Result<(), ConvertError> {
        let mut items = Vec::new();
        for ty in new {
            let convert = |list: &[wasmparser::ValType]| -> Vec<wasm_encoder::ValType> {
                list.iter().filter_map(|ty| reencode::RoundtripReencoder.val_type(*ty).ok()).collect()
            };
            let mut one = wasm_encoder::TypeSection::new();
            one.ty().function(convert(ty.params()), convert(ty.results()));
            let mut bytes = Vec::new();
            one.encode(&mut bytes);
            // Behind the section's size and the count of 1, both of one byte for so small a type.
            items.extend_from_slice(&bytes[2..]);
        }
        let contents = self.survey.contents(section);
        let own = truncated_types(contents, self.types, self.survey.types.len() as u32)?;
        raw(module, section, &appended(&own, new.len() as u32, &items).map_err(|error| invalid(&error))?);
        Ok(())
    }

    fn imports(&self, module: &mut Module, section: &Section<'_>) -> Result<(), ConvertError> {
        let reader = BinaryReader::new(self.survey.contents(section), section.range.start as u64);
        let reader = wasmparser::ImportSectionReader::new(reader).map_err(|error| invalid(&error))?;
        let mut imports = ImportSection::new();
        let mut written = 0;
        let add = |imports: &mut ImportSection, written: &mut u32| {
            while let Some((_, name, ty)) = self.added_imports.iter().find(|(position, ..)| position == written) {
                imports.import(super::survey::MODULE, name, wasm_encoder::EntityType::Function(*ty));
                *written += 1;
            }
        };
        for (position, import) in reader.into_imports().enumerate() {
            let import = import.map_err(|error| invalid(&error))?;
            add(&mut imports, &mut written);
            if self.dropped_imports.contains(&(position as u32)) {
                continue;
            }
            let mut ty = Remap(self).entity_type(import.ty).map_err(encoding)?;
            if let wasm_encoder::EntityType::Memory(memory) = &mut ty {
                memory.minimum = self.minimum;
                memory.maximum = self.maximum;
            }
            imports.import(import.module, import.name, ty);
            written += 1;
        }
        add(&mut imports, &mut written);
        module.section(&imports);
        Ok(())
    }

    fn globals(&self, module: &mut Module, section: &Section<'_>) -> Result<(), ConvertError> {
        let reader = BinaryReader::new(self.survey.contents(section), section.range.start as u64);
        let reader = wasmparser::GlobalSectionReader::new(reader).map_err(|error| invalid(&error))?;
        let mut globals = wasm_encoder::GlobalSection::new();
        let own = reader.count();
        let keep =
            if matches!(self.heap_base_global, HeapBaseGlobal::Removed(_)) { own.saturating_sub(1) } else { own };
        for (place, global) in reader.into_iter().enumerate().take(keep as usize) {
            let global = global.map_err(|error| invalid(&error))?;
            let mut remap = Remap(self);
            let ty = remap.global_type(global.ty).map_err(encoding)?;
            let index = self.survey.imported_globals + place as u32;
            let is_base = self.heap_base_global == HeapBaseGlobal::InPlace
                && self.survey.heap_base.is_some_and(|base| base.global == index);
            match self.heap_base {
                Some(value) if is_base => {
                    globals.global(ty, &wasm_encoder::ConstExpr::i32_const(value.cast_signed()));
                }
                _ => {
                    globals.global(ty, &remap.const_expr(global.init_expr).map_err(encoding)?);
                }
            }
        }
        if let (HeapBaseGlobal::Added, Some(value)) = (self.heap_base_global, self.heap_base) {
            globals.global(
                wasm_encoder::GlobalType { val_type: wasm_encoder::ValType::I32, mutable: false, shared: false },
                &wasm_encoder::ConstExpr::i32_const(value.cast_signed()),
            );
        }
        module.section(&globals);
        Ok(())
    }

    fn exports(&self, module: &mut Module) {
        let mut exports = ExportSection::new();
        for (name, kind, index) in &self.survey.exports {
            let is_base = *name == super::survey::HEAP_BASE;
            let (kind, index) = match kind {
                wasmparser::ExternalKind::Func | wasmparser::ExternalKind::FuncExact => {
                    match self.functions.get(*index as usize).copied().flatten() {
                        Some(index) => (ExportKind::Func, index),
                        // What a conversion added goes with it.
                        None => continue,
                    }
                }
                wasmparser::ExternalKind::Table => (ExportKind::Table, *index),
                wasmparser::ExternalKind::Memory => (ExportKind::Memory, *index),
                wasmparser::ExternalKind::Tag => (ExportKind::Tag, *index),
                wasmparser::ExternalKind::Global => match self.heap_base_global {
                    HeapBaseGlobal::Added if is_base => (ExportKind::Global, self.survey.globals),
                    HeapBaseGlobal::Removed(Some(before)) if is_base => (ExportKind::Global, before),
                    HeapBaseGlobal::Removed(None) if is_base => continue,
                    _ => (ExportKind::Global, *index),
                },
            };
            let name = self.renamed.filter(|(before, _)| before == name).map_or(*name, |(_, now)| now);
            exports.export(name, kind, index);
        }
        if self.heap_base_global == HeapBaseGlobal::Added && self.survey.heap_base.is_none() {
            exports.export(super::survey::HEAP_BASE, ExportKind::Global, self.survey.globals);
        }
        for (name, function) in &self.exports {
            exports.export(name, ExportKind::Func, *function);
        }
        module.section(&exports);
    }

    fn reencoded(&self, module: &mut Module, section: &Section<'_>) -> Result<(), ConvertError> {
        let reader = BinaryReader::new(self.survey.contents(section), section.range.start as u64);
        if section.kind == SectionKind::Table {
            let reader = wasmparser::TableSectionReader::new(reader).map_err(|error| invalid(&error))?;
            let mut tables = wasm_encoder::TableSection::new();
            Remap(self).parse_table_section(&mut tables, reader).map_err(encoding)?;
            module.section(&tables);
        } else {
            let reader = wasmparser::ElementSectionReader::new(reader).map_err(|error| invalid(&error))?;
            let mut elements = wasm_encoder::ElementSection::new();
            Remap(self).parse_element_section(&mut elements, reader).map_err(encoding)?;
            module.section(&elements);
        }
        Ok(())
    }

    fn code(&self, module: &mut Module) {
        let mut code = CodeSection::new();
        let own = self.survey.bodies.iter().zip(&self.bodies).take(self.own_functions as usize);
        for (body, changed) in own {
            code.raw(changed.as_deref().unwrap_or_else(|| body.as_bytes()));
        }
        for added in &self.added {
            code.raw(&added.body);
        }
        module.section(&code);
    }
}

/// References to functions, as they are now.
struct Remap<'a>(&'a Output<'a>);

impl Reencode for Remap<'_> {
    type Error = ConvertError;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<ConvertError>> {
        self.0.function(function).map_err(reencode::Error::UserError)
    }
}

/// A section with other contents.
fn raw(module: &mut Module, section: &Section<'_>, data: &[u8]) {
    let id = match section.kind {
        SectionKind::Type => 1,
        SectionKind::Function => 3,
        SectionKind::Memory => 5,
        SectionKind::Data => 11,
        SectionKind::DataCount => 12,
        SectionKind::Tag => 13,
        _ => unreachable!("the other sections are written item by item"),
    };
    module.section(&RawSection { id, data });
}

/// The first `keep` items of the function section.
fn truncated(contents: &[u8], keep: u32) -> Result<Vec<u8>, ConvertError> {
    first_items(contents, keep, |reader| reader.read_var_u32().map(|_| 1))
}

/// The first `keep` of `all` types.
fn truncated_types(contents: &[u8], keep: u32, all: u32) -> Result<Vec<u8>, ConvertError> {
    if keep == all {
        return Ok(contents.to_vec());
    }
    first_items(contents, keep, |reader| Ok(reader.read::<wasmparser::RecGroup>()?.types().len() as u32))
}

/// Items up to `keep` of what they hold; `read` says how many one holds.
fn first_items(
    contents: &[u8],
    keep: u32,
    mut read: impl FnMut(&mut BinaryReader<'_>) -> wasmparser::Result<u32>,
) -> Result<Vec<u8>, ConvertError> {
    let mut copy = || -> wasmparser::Result<Vec<u8>> {
        let mut reader = BinaryReader::new(contents, 0);
        let count = reader.read_var_u32()?;
        let start = reader.current_position();
        let (mut items, mut held) = (0_u32, 0_u32);
        while items < count && held < keep {
            held = held.saturating_add(read(&mut reader)?);
            items += 1;
        }
        let mut bytes = Vec::new();
        items.encode(&mut bytes);
        bytes.extend_from_slice(&contents[start..reader.current_position()]);
        Ok(bytes)
    };
    copy().map_err(|error| invalid(&error))
}

/// What the encoder could not write.
fn encoding(error: reencode::Error<ConvertError>) -> ConvertError {
    match error {
        reencode::Error::UserError(error) => error,
        reencode::Error::ParseError(error) => invalid(&error),
        other => ConvertError::Invalid { message: other.to_string(), offset: 0 },
    }
}
