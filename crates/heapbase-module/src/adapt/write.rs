//! Puts a module together again.

use super::error::{AdaptError, invalid};
use super::module::{Function, Module, Origin};
use crate::splice::{Splice, call, instructions};
use std::ops::Range;
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataCountSection, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, FunctionSection, GlobalSection, ImportSection, Instruction, MemorySection, NameMap,
    NameSection, StartSection, TableSection, TypeSection,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::{ExternalKind, Operator};

/// A module with the places of its functions.
struct Writer<'m, 'a> {
    module: &'m Module<'a>,
    /// The index of each function, by its number.
    places: Vec<Option<u32>>,
    /// Whether every body can be copied as it lies.
    unchanged: bool,
}

impl Module<'_> {
    /// The module as bytes.
    pub(super) fn write(&self) -> Result<Vec<u8>, AdaptError> {
        let mut places = vec![None; self.functions.len()];
        let mut next = 0;
        for import in [true, false] {
            for (place, function) in places.iter_mut().zip(&self.functions) {
                let is_import = matches!(function.origin, Origin::Import(..));
                if is_import == import && !matches!(function.origin, Origin::Gone) {
                    *place = Some(next);
                    next += 1;
                }
            }
        }
        let substitutes = &self.substitutes;
        let unchanged = substitutes.functions.is_empty()
            && substitutes.memory_grow.is_none()
            && substitutes.memory_size.is_none()
            && substitutes.before_unreachable.is_none()
            && !substitutes.plain_selects
            && places.iter().enumerate().all(|(number, place)| *place == Some(number as u32));
        Writer { module: self, places, unchanged }.write()
    }
}

/// Something that the encoder cannot write, or that refers to what is gone.
fn broken(message: impl ToString) -> AdaptError {
    AdaptError::Result { message: message.to_string(), offset: 0 }
}

impl Writer<'_, '_> {
    /// The index of a function, or of what took its place.
    fn place(&self, function: u32) -> Result<u32, AdaptError> {
        let function = self.module.substitutes.functions.get(&function).copied().unwrap_or(function);
        let place = self.places.get(function as usize).copied().flatten();
        place.ok_or_else(|| broken(format!("function {function} is gone and still used")))
    }

    fn own(&self) -> impl Iterator<Item = &Function<'_>> {
        self.module.functions.iter().filter(|function| matches!(function.origin, Origin::Own(_) | Origin::Made(_)))
    }

    fn write(&self) -> Result<Vec<u8>, AdaptError> {
        let module = self.module;
        let mut out = wasm_encoder::Module::new();
        let mut reencode = RoundtripReencoder;

        let mut types = TypeSection::new();
        for ty in &module.types {
            let list = |list: &[wasmparser::ValType]| -> Result<Vec<_>, AdaptError> {
                list.iter().map(|ty| RoundtripReencoder.val_type(*ty).map_err(broken)).collect()
            };
            types.ty().function(list(ty.params())?, list(ty.results())?);
        }
        out.section(&types);

        let mut imports = ImportSection::new();
        for function in &module.functions {
            if let Origin::Import(from, name) = &function.origin {
                imports.import(from, name, EntityType::Function(function.ty));
            }
        }
        let memory = module.memory.map(|ty| reencode.memory_type(ty).map_err(broken)).transpose()?;
        if let (Some(ty), Some((from, name))) = (memory, module.memory_import) {
            imports.import(from, name, ty);
        }
        if !imports.is_empty() {
            out.section(&imports);
        }

        let mut functions = FunctionSection::new();
        self.own().for_each(|function| {
            functions.function(function.ty);
        });
        out.section(&functions);

        if let Some(table) = module.table {
            let mut tables = TableSection::new();
            tables.table(reencode.table_type(table).map_err(broken)?);
            out.section(&tables);
        }
        if let (Some(ty), None) = (memory, module.memory_import) {
            let mut memories = MemorySection::new();
            memories.memory(ty);
            out.section(&memories);
        }
        if !module.globals.is_empty() {
            let mut globals = GlobalSection::new();
            for global in &module.globals {
                let ty = reencode.global_type(global.ty).map_err(broken)?;
                globals.global(ty, &ConstExpr::raw(global.init.iter().copied()));
            }
            out.section(&globals);
        }
        self.exports(&mut out)?;
        if let Some(start) = module.start {
            out.section(&StartSection { function_index: self.place(start)? });
        }
        self.elements(&mut out)?;
        if module.counts_data {
            out.section(&DataCountSection { count: module.data.len() as u32 });
        }
        let mut code = CodeSection::new();
        for function in self.own() {
            match &function.origin {
                Origin::Own(range) => code.raw(&self.body(module.wasm, range.clone(), true)?),
                Origin::Made(body) => code.raw(&self.body(body, 0..body.len(), false)?),
                Origin::Import(..) | Origin::Gone => continue,
            };
        }
        out.section(&code);
        if !module.data.is_empty() {
            let mut data = DataSection::new();
            for segment in &module.data {
                let bytes = segment.bytes.iter().copied();
                match segment.start {
                    Some(start) => data.active(0, &ConstExpr::i32_const(start.cast_signed()), bytes),
                    None => data.passive(bytes),
                };
            }
            out.section(&data);
        }
        self.customs(&mut out);
        Ok(out.finish())
    }

    fn exports(&self, out: &mut wasm_encoder::Module) -> Result<(), AdaptError> {
        let mut exports = ExportSection::new();
        for export in &self.module.exports {
            let (kind, index) = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => (ExportKind::Func, self.place(export.index)?),
                ExternalKind::Table => (ExportKind::Table, export.index),
                ExternalKind::Memory => (ExportKind::Memory, export.index),
                ExternalKind::Global => (ExportKind::Global, export.index),
                ExternalKind::Tag => (ExportKind::Tag, export.index),
            };
            exports.export(&export.name, kind, index);
        }
        out.section(&exports);
        Ok(())
    }

    fn elements(&self, out: &mut wasm_encoder::Module) -> Result<(), AdaptError> {
        let mut elements = ElementSection::new();
        for segment in &self.module.elements {
            let functions: Vec<_> =
                segment.functions.iter().map(|function| self.place(*function)).collect::<Result<_, _>>()?;
            let functions = Elements::Functions(functions.into());
            match segment.start {
                Some(start) => elements.active(None, &ConstExpr::i32_const(start.cast_signed()), functions),
                None if segment.declared => elements.declared(functions),
                None => elements.passive(functions),
            };
        }
        if !elements.is_empty() {
            out.section(&elements);
        }
        Ok(())
    }

    /// A body with its calls led to where functions are now; with substitutes for instructions in the file's own code.
    fn body(&self, wasm: &[u8], range: Range<usize>, own: bool) -> Result<Vec<u8>, AdaptError> {
        if self.unchanged {
            return Ok(wasm[range].to_vec());
        }
        let substitutes = &self.module.substitutes;
        let mut code = Splice::new(wasm, range.clone());
        let reader = wasmparser::BinaryReader::new(&wasm[range.clone()], range.start as u64);
        let mut operators =
            wasmparser::FunctionBody::new(reader).get_operators_reader().map_err(|error| invalid(&error))?;
        while !operators.eof() {
            let start = operators.original_position() as usize;
            let operator = operators.read().map_err(|error| invalid(&error))?;
            let end = operators.original_position() as usize;
            match operator {
                Operator::Call { function_index } => {
                    let place = self.place(function_index)?;
                    if place != function_index {
                        code.replace(start..end, &call(place, &wasm[start..end]));
                    }
                }
                Operator::MemoryGrow { .. } if own => {
                    if let Some(function) = substitutes.memory_grow {
                        code.replace(start..end, &call(self.place(function)?, &[]));
                    }
                }
                Operator::MemorySize { .. } if own => {
                    if let Some(with) = &substitutes.memory_size {
                        code.replace(start..end, with);
                    }
                }
                Operator::Unreachable if own => {
                    if let Some(function) = substitutes.before_unreachable {
                        let mut with = call(self.place(function)?, &[]);
                        with.extend(instructions(&[Instruction::Unreachable]));
                        code.replace(start..end, &with);
                    }
                }
                Operator::Select if substitutes.plain_selects => {
                    let guarded = [Instruction::I32Const(0), Instruction::Drop, Instruction::Select];
                    code.replace(start..end, &instructions(&guarded));
                }
                _ => {}
            }
        }
        Ok(code.finish())
    }

    fn customs(&self, out: &mut wasm_encoder::Module) {
        let mut names = NameMap::new();
        let mut named: Vec<_> = self
            .places
            .iter()
            .zip(&self.module.functions)
            .filter_map(|(place, function)| Some(((*place)?, function.name.as_deref()?)))
            .collect();
        named.sort_unstable();
        named.iter().for_each(|(place, name)| names.append(*place, name));
        let has_names = self.module.customs.iter().any(|custom| custom.name == "name");
        for custom in &self.module.customs {
            if custom.name != "name" {
                out.section(&CustomSection { name: custom.name.as_ref().into(), data: custom.data.as_ref().into() });
            }
        }
        if has_names {
            let mut section = NameSection::new();
            section.functions(&names);
            out.section(&section);
        }
    }
}
