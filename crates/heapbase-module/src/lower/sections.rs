//! The lowered module, section by section.

use super::body::Rewritten;
use super::constant::{self, Value};
use super::{Context, elements, helpers::Helper};
use crate::SectionKind;
use crate::convert::holds_code_places;
use crate::pass::{Parts, PassError, Passed, Renaming, Writer, counted, rank, with_names};
use std::collections::HashMap;
use wasm_encoder::{
    CodeSection, CustomSection, DataSection, Encode, ExportSection, FunctionSection, GlobalSection, ImportSection,
    MemorySection, TableSection, TypeSection, ValType, reencode::Reencode, reencode::RoundtripReencoder,
};
use wasmparser::{BinaryReader, DataKind, ExternalKind};

/// Whether all segments are written as in the first release.
pub(super) fn segments_are_plain(parts: &Parts<'_>) -> bool {
    parts.elements.iter().all(|element| elements::is_plain(parts, element))
        && parts.data.iter().all(|data| parts.wasm.get(data.range.start as usize) == Some(&0))
}

/// Writes the module.
pub(super) fn write(context: Context<'_, '_>, bodies: &[Option<Rewritten>]) -> Result<Passed, PassError> {
    let mut output = Output::new(context, bodies)?;
    let mut writer = Writer::new(output.context.parts.wasm);
    let parts = output.context.parts;
    let has_globals = parts.sections.iter().any(|section| section.kind == SectionKind::Global);
    let mut globals_missing = !has_globals && !output.context.globals.is_empty();
    for section in &parts.sections {
        if globals_missing && rank(section.kind) > rank(SectionKind::Global) {
            output.globals(&mut writer);
            globals_missing = false;
        }
        match section.kind {
            SectionKind::Type => output.types(&mut writer),
            SectionKind::Import => output.imports(&mut writer)?,
            SectionKind::Function => output.functions(&mut writer),
            SectionKind::Table => output.tables(&mut writer)?,
            SectionKind::Memory => output.memories(&mut writer)?,
            SectionKind::Global => output.globals(&mut writer),
            SectionKind::Export => output.exports(&mut writer),
            SectionKind::Element => output.elements(&mut writer)?,
            SectionKind::Code => output.code(&mut writer, bodies),
            SectionKind::Data => output.data(&mut writer)?,
            SectionKind::DataCount if !output.context.options.bulk_memory => {}
            // There are none in it.
            SectionKind::Tag => {}
            SectionKind::Custom => output.custom(&mut writer, section.name, parts.contents(section)),
            kind => writer.raw(kind, parts.contents(section)),
        }
    }
    let mut changes = output.context.tally.sentences();
    if !output.helpers.is_empty() {
        let names: Vec<&str> = output.helpers.iter().map(|helper| helper.name.as_str()).collect();
        // Segments in many parts have many functions.
        let more = names.len().saturating_sub(12);
        let mut list = names[..names.len() - more].join(", ");
        if more > 0 {
            list += &format!(" and {more} more");
        }
        changes.push(format!("added {}: {list}", counted(names.len(), "function", "functions")));
    }
    if !output.context.globals.is_empty() {
        changes.push(format!("added {}", counted(output.context.globals.len(), "global", "globals")));
    }
    changes.append(&mut output.changes);
    Ok(Passed { wasm: writer.finish()?, changes, warnings: output.warnings })
}

/// What is written.
struct Output<'p, 'a> {
    context: Context<'p, 'a>,
    helpers: Vec<Helper>,
    first_helper: u32,
    /// Type index of each helper, and the types that come for them.
    helper_types: Vec<u32>,
    new_types: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// First values of the module's own globals, and whether each is mutable still.
    values: Vec<Value>,
    mutable: Vec<bool>,
    /// Whether any function's code lies elsewhere than before, in itself.
    code_moved: bool,
    /// Functions whose labels have other numbers.
    relabelled: Vec<bool>,
    changes: Vec<String>,
    warnings: Vec<String>,
}

impl<'p, 'a> Output<'p, 'a> {
    fn new(mut context: Context<'p, 'a>, bodies: &[Option<Rewritten>]) -> Result<Self, PassError> {
        let parts = context.parts;
        let helpers = std::mem::replace(&mut context.helpers, super::Helpers::new(0));
        let (first_helper, helpers) = helpers.finish();
        let mut known: HashMap<(Vec<ValType>, Vec<ValType>), u32> = HashMap::new();
        if !helpers.is_empty() {
            for index in (0..parts.types.len() as u32).rev() {
                known.insert(new_type(&context, index), index);
            }
        }
        let mut new_types = Vec::new();
        let mut helper_types = Vec::new();
        for helper in &helpers {
            let ty = (helper.params.clone(), helper.results.clone());
            let index = *known.entry(ty.clone()).or_insert_with(|| {
                new_types.push(ty);
                (parts.types.len() + new_types.len() - 1) as u32
            });
            helper_types.push(index);
        }
        let mut values = Vec::with_capacity(parts.globals.len());
        for (_, global) in &parts.globals {
            let value = constant::evaluate(&global.init_expr, parts.imported_globals(), &values, SectionKind::Global)?;
            context.tally.constants += usize::from(!is_one_constant(&global.init_expr));
            values.push(value);
        }
        let mutable = parts.global_types.iter().map(|ty| ty.mutable).collect();
        let code_moved = !helpers.is_empty() || bodies.iter().any(Option::is_some);
        let relabelled = bodies.iter().map(|body| body.as_ref().is_some_and(|body| !body.keeps_labels)).collect();
        let mut output = Self {
            context,
            helpers,
            first_helper,
            helper_types,
            new_types,
            values,
            mutable,
            code_moved,
            relabelled,
            changes: Vec::new(),
            warnings: Vec::new(),
        };
        output.close_globals();
        Ok(output)
    }

    /// Exported globals that nobody sets become immutable.
    fn close_globals(&mut self) {
        if self.context.options.mutable_globals {
            return;
        }
        for (_, export) in &self.context.parts.exports {
            let index = export.index as usize;
            if export.kind == ExternalKind::Global
                && self.mutable.get(index) == Some(&true)
                && self.context.set.get(index) == Some(&false)
            {
                self.mutable[index] = false;
                self.changes.push(format!(
                    "lowered mutable-global: `{}`, which the module never sets, became immutable",
                    export.name
                ));
            }
        }
    }

    fn types(&self, writer: &mut Writer) {
        let mut types = TypeSection::new();
        for index in 0..self.context.parts.types.len() as u32 {
            let (params, results) = new_type(&self.context, index);
            types.ty().function(params, results);
        }
        for (params, results) in &self.new_types {
            types.ty().function(params.iter().copied(), results.iter().copied());
        }
        writer.section(&types);
    }

    fn imports(&self, writer: &mut Writer) -> Result<(), PassError> {
        let mut imports = ImportSection::new();
        for (_, import) in &self.context.parts.imports {
            let ty = RoundtripReencoder.entity_type(import.ty).map_err(unencodable)?;
            imports.import(import.module, import.name, ty);
        }
        writer.section(&imports);
        Ok(())
    }

    fn functions(&self, writer: &mut Writer) {
        let mut functions = FunctionSection::new();
        let parts = self.context.parts;
        for ty in parts.functions.iter().skip(parts.imported_functions as usize).chain(&self.helper_types) {
            functions.function(*ty);
        }
        writer.section(&functions);
    }

    fn tables(&self, writer: &mut Writer) -> Result<(), PassError> {
        let mut tables = TableSection::new();
        for (_, table) in &self.context.parts.tables {
            tables.table(RoundtripReencoder.table_type(table.ty).map_err(unencodable)?);
        }
        writer.section(&tables);
        Ok(())
    }

    fn memories(&self, writer: &mut Writer) -> Result<(), PassError> {
        let mut memories = MemorySection::new();
        let parts = self.context.parts;
        for (_, memory) in parts.memories.iter().skip(parts.imported_memories as usize) {
            memories.memory(RoundtripReencoder.memory_type(*memory).map_err(unencodable)?);
        }
        writer.section(&memories);
        Ok(())
    }

    fn globals(&self, writer: &mut Writer) {
        let mut globals = GlobalSection::new();
        let parts = self.context.parts;
        let own =
            parts.globals.iter().zip(&self.values).zip(self.mutable.iter().skip(parts.imported_globals() as usize));
        for (((_, global), value), mutable) in own {
            let val_type = RoundtripReencoder.val_type(global.ty.content_type).unwrap_or(ValType::I32);
            let ty = wasm_encoder::GlobalType { val_type, mutable: *mutable, shared: false };
            globals.global(ty, &value.expression());
        }
        for (val_type, value, _) in &self.context.globals {
            let value = match val_type {
                ValType::I64 => Value::I64(i64::from(*value)),
                ValType::F32 => Value::F32(0),
                ValType::F64 => Value::F64(0),
                _ => Value::I32(*value),
            };
            let ty = wasm_encoder::GlobalType { val_type: *val_type, mutable: true, shared: false };
            globals.global(ty, &value.expression());
        }
        writer.section(&globals);
    }

    fn exports(&mut self, writer: &mut Writer) {
        let mut exports = ExportSection::new();
        for (_, export) in &self.context.parts.exports {
            if export.kind == ExternalKind::Global
                && !self.context.options.mutable_globals
                && self.mutable.get(export.index as usize) == Some(&true)
            {
                self.changes.push(format!("lowered mutable-global: dropped the export `{}`", export.name));
                self.warnings.push(format!(
                    "`{}` is a global that the module sets; hosts without mutable globals cannot see it, so it is no longer \
                     exported",
                    export.name
                ));
                continue;
            }
            let kind = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => wasm_encoder::ExportKind::Func,
                ExternalKind::Table => wasm_encoder::ExportKind::Table,
                ExternalKind::Memory => wasm_encoder::ExportKind::Memory,
                ExternalKind::Global => wasm_encoder::ExportKind::Global,
                ExternalKind::Tag => wasm_encoder::ExportKind::Tag,
            };
            exports.export(export.name, kind, export.index);
        }
        writer.section(&exports);
    }

    /// Where an active segment lies.
    fn place(&self, expression: &wasmparser::ConstExpr<'_>, section: SectionKind) -> Result<Value, PassError> {
        constant::evaluate(expression, self.context.parts.imported_globals(), &self.values, section)
    }

    fn elements(&mut self, writer: &mut Writer) -> Result<(), PassError> {
        let parts = self.context.parts;
        let named = self.context.names_elements && self.context.options.bulk_memory;
        let (section, changed) =
            elements::write(parts, named, |expression| self.place(expression, SectionKind::Element))?;
        self.context.tally.element_segments += changed;
        writer.section(&section);
        Ok(())
    }

    fn code(&self, writer: &mut Writer, bodies: &[Option<Rewritten>]) {
        let mut code = CodeSection::new();
        for (body, rewritten) in self.context.parts.bodies.iter().zip(bodies) {
            code.raw(rewritten.as_ref().map_or_else(|| body.as_bytes(), |rewritten| &rewritten.bytes));
        }
        for helper in &self.helpers {
            code.function(&helper.function);
        }
        writer.section(&code);
    }

    fn data(&mut self, writer: &mut Writer) -> Result<(), PassError> {
        let mut section = DataSection::new();
        let parts = self.context.parts;
        for data in &parts.data {
            match &data.kind {
                DataKind::Active { offset_expr, .. } => {
                    let place = self.place(offset_expr, SectionKind::Data)?;
                    let plain = parts.wasm.get(data.range.start as usize) == Some(&0);
                    self.context.tally.data_segments += usize::from(!plain);
                    self.context.tally.constants += usize::from(!is_one_constant(offset_expr));
                    section.active(0, &place.expression(), data.data.iter().copied());
                }
                DataKind::Passive if self.context.options.bulk_memory => {
                    section.passive(data.data.iter().copied());
                }
                DataKind::Passive => self.context.tally.passive_data += 1,
            }
        }
        writer.section(&section);
        Ok(())
    }

    fn custom(&mut self, writer: &mut Writer, name: &str, contents: &[u8]) {
        let data = match name {
            "name" => {
                let Some(names) = self.names(contents) else {
                    // Names that cannot be read are as good as before: no index has moved.
                    writer.section(&CustomSection { name: name.into(), data: contents.into() });
                    return;
                };
                names
            }
            "target_features" => match self.target_features(contents) {
                Some(features) => features,
                None => {
                    self.changes.push("dropped the custom section `target_features`, which cannot be read".to_owned());
                    return;
                }
            },
            _ if self.code_moved && holds_code_places(name) => {
                self.changes.push(format!("dropped the custom section `{name}`: places in the code have moved"));
                return;
            }
            _ => contents.to_vec(),
        };
        writer.section(&CustomSection { name: name.into(), data: data.into() });
    }

    fn names(&self, contents: &[u8]) -> Option<Vec<u8>> {
        let parts = self.context.parts;
        let functions: Vec<(u32, String)> = (self.first_helper..)
            .zip(&self.helpers)
            .map(|(index, helper)| (index, format!("heapbase.{}", helper.name)))
            .collect();
        let first = parts.global_types.len() as u32;
        let globals: Vec<(u32, String)> = (first..)
            .zip(&self.context.globals)
            .map(|(index, (_, _, name))| (index, format!("heapbase.{name}")))
            .collect();
        let locals = |function: u32, local: u32| {
            let ty = parts.functions.get(function as usize).copied().unwrap_or(u32::MAX);
            let zeros = self.context.types.zeros.get(ty as usize).copied().unwrap_or(0);
            let params = parts.ty(ty).map_or(0, |ty| ty.params().len()) as u32;
            if local < params { local } else { local.saturating_add(zeros) }
        };
        let keeps_labels = |function: u32| {
            let own = function.checked_sub(parts.imported_functions);
            own.is_none_or(|own| self.relabelled.get(own as usize) != Some(&true))
        };
        // Segments that instructions do not name are numbered anew, and seldom have names.
        let gone = vec![None; parts.data.len().max(parts.elements.len())];
        let bulk = self.context.options.bulk_memory;
        let renaming = Renaming {
            locals: self.context.types.any.then_some(&locals),
            keeps_labels: Some(&keeps_labels),
            elements: (!bulk && !parts.elements.iter().all(|element| elements::is_plain(parts, element)))
                .then_some(&gone),
            data: (self.context.tally.passive_data > 0).then_some(&gone),
            added_functions: &functions,
            added_globals: &globals,
            ..Renaming::default()
        };
        with_names(contents, &renaming)
    }

    /// The list of features that linkers leave, without those that are gone.
    fn target_features(&self, contents: &[u8]) -> Option<Vec<u8>> {
        let options = &self.context.options;
        let gone = |name: &str| match name {
            "sign-ext" => !options.sign_extension,
            "bulk-memory" | "bulk-memory-opt" => !options.bulk_memory,
            "mutable-globals" => !options.mutable_globals,
            "nontrapping-fptoint" | "multivalue" | "reference-types" | "call-indirect-overlong" | "extended-const" => {
                true
            }
            _ => false,
        };
        let mut reader = BinaryReader::new(contents, 0);
        let mut kept: Vec<(u8, &str)> = Vec::new();
        for _ in 0..reader.read_var_u32().ok()? {
            let feature = (reader.read_u8().ok()?, reader.read_string().ok()?);
            if !gone(feature.1) {
                kept.push(feature);
            }
        }
        let mut bytes = Vec::new();
        kept.len().encode(&mut bytes);
        for (prefix, name) in kept {
            bytes.push(prefix);
            name.encode(&mut bytes);
        }
        Some(bytes)
    }
}

/// A function type as it is now.
fn new_type(context: &Context<'_, '_>, index: u32) -> (Vec<ValType>, Vec<ValType>) {
    let Some(ty) = context.parts.ty(index) else { return (Vec::new(), Vec::new()) };
    let encoded = |ty: &wasmparser::ValType| RoundtripReencoder.val_type(*ty).unwrap_or(ValType::I32);
    let mut params: Vec<ValType> = ty.params().iter().map(encoded).collect();
    let zeros = context.types.zeros.get(index as usize).copied().unwrap_or(0);
    params.extend((0..zeros).map(|_| ValType::I32));
    (params, ty.results().iter().take(1).map(encoded).collect())
}

/// Whether an expression is one instruction and its end, as in the first release.
fn is_one_constant(expression: &wasmparser::ConstExpr<'_>) -> bool {
    let mut operators = expression.get_operators_reader();
    operators.read().is_ok() && operators.read().is_ok() && operators.eof()
}

/// What was refused before.
fn unencodable(error: wasm_encoder::reencode::Error) -> PassError {
    PassError::Invalid { message: error.to_string(), offset: 0 }
}
