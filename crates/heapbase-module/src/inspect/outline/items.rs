//! The items of each section.

use super::{Custom, Export, Extern, Global, Import, Outline, Type};
use crate::inspect::features::Feature;
use crate::inspect::report::ExternKind;
use crate::inspect::{operators, types};
use wasmparser::{
    CompositeInnerType, DataKind, DataSectionReader, ElementItems, ElementKind, ElementSectionReader,
    ExportSectionReader, ExternalKind, GlobalSectionReader, ImportSectionReader, Imports, MemoryType, Payload, Result,
    TableInit, TableSectionReader, TableType, TypeRef, TypeSectionReader,
};

impl<'a> Outline<'a> {
    /// Reads the items of a section other than the code.
    pub(super) fn read_section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(list) => self.read_types(list)?,
            Payload::ImportSection(list) => self.read_imports(list)?,
            Payload::FunctionSection(list) => {
                for ty in list {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(list) => self.read_tables(list)?,
            Payload::MemorySection(list) => {
                for memory in list.into_iter_with_offsets() {
                    let (offset, ty) = memory?;
                    self.add_memory(ty, offset);
                }
            }
            Payload::TagSection(list) => {
                for tag in list.into_iter_with_offsets() {
                    let (offset, ty) = tag?;
                    self.features.add(Feature::Exceptions, offset);
                    self.tags.push(ty.func_type_idx);
                }
            }
            Payload::GlobalSection(list) => self.read_globals(list)?,
            Payload::ExportSection(list) => self.read_exports(list)?,
            Payload::StartSection { func, range } => self.start = Some((func, range.start)),
            Payload::ElementSection(list) => self.read_elements(list)?,
            Payload::DataCountSection { range, .. } => self.features.add(Feature::BulkMemory, range.start),
            Payload::DataSection(list) => self.read_data(list)?,
            Payload::CustomSection(custom) => {
                let (contents, offset) = (custom.data(), custom.data_offset());
                self.customs.push(Custom { name: custom.name(), contents, offset });
            }
            // The end; and the sections of components, which the header of a core module excludes.
            _ => {}
        }
        Ok(())
    }

    fn read_types(&mut self, list: TypeSectionReader<'a>) -> Result<()> {
        for group in list.into_iter_with_offsets() {
            let (offset, group) = group?;
            types::scan_group(&group, offset, &mut self.features);
            for ty in group.into_types() {
                self.types.push(match ty.composite_type.inner {
                    CompositeInnerType::Func(function) => {
                        Type { text: types::function_text(&function), function: Some(function) }
                    }
                    CompositeInnerType::Array(_) => Type { text: "array".into(), function: None },
                    CompositeInnerType::Struct(_) => Type { text: "struct".into(), function: None },
                    CompositeInnerType::Cont(_) => Type { text: "continuation".into(), function: None },
                });
            }
        }
        Ok(())
    }

    fn read_imports(&mut self, list: ImportSectionReader<'a>) -> Result<()> {
        for group in list.into_iter_with_offsets() {
            let (group_offset, group) = group?;
            match group {
                Imports::Single(offset, import) => self.add_import(import.module, import.name, import.ty, offset),
                Imports::Compact1 { module, items } => {
                    self.features.add(Feature::CompactImports, group_offset);
                    for item in items.into_iter_with_offsets() {
                        let (offset, item) = item?;
                        self.add_import(module, item.name, item.ty, offset);
                    }
                }
                Imports::Compact2 { module, ty, names } => {
                    self.features.add(Feature::CompactImports, group_offset);
                    for name in names.into_iter_with_offsets() {
                        let (offset, name) = name?;
                        self.add_import(module, name, ty, offset);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_import(&mut self, module: &'a str, name: &'a str, ty: TypeRef, offset: u64) {
        let item = match ty {
            TypeRef::Func(index) => Extern::Function(index),
            TypeRef::FuncExact(index) => {
                self.features.add(Feature::CustomDescriptors, offset);
                Extern::Function(index)
            }
            TypeRef::Table(ty) => Extern::Table(ty),
            TypeRef::Memory(ty) => Extern::Memory(ty),
            TypeRef::Global(ty) => Extern::Global(ty),
            TypeRef::Tag(ty) => Extern::Tag(ty.func_type_idx),
        };
        match item {
            Extern::Function(ty) => self.functions.push(ty),
            Extern::Table(ty) => self.add_table(ty, offset),
            Extern::Memory(ty) => self.add_memory(ty, offset),
            Extern::Global(ty) => {
                types::scan_global(&ty, offset, &mut self.features);
                if ty.mutable {
                    self.features.add(Feature::MutableGlobal, offset);
                }
                self.globals.push(Global { ty, value: None });
                self.imported_globals += 1;
            }
            Extern::Tag(ty) => {
                self.features.add(Feature::Exceptions, offset);
                self.tags.push(ty);
            }
        }
        self.imports.push(Import { module, name, item, offset });
    }

    fn add_table(&mut self, ty: TableType, offset: u64) {
        types::scan_table(&ty, offset, &mut self.features);
        self.tables.push(ty);
        if self.tables.len() > 1 {
            self.features.add(Feature::ReferenceTypes, offset);
        }
    }

    fn add_memory(&mut self, ty: MemoryType, offset: u64) {
        types::scan_memory(&ty, offset, &mut self.features);
        self.memories.push(ty);
        if self.memories.len() > 1 {
            self.features.add(Feature::MultiMemory, offset);
        }
    }

    fn read_tables(&mut self, list: TableSectionReader<'a>) -> Result<()> {
        for table in list.into_iter_with_offsets() {
            let (offset, table) = table?;
            self.add_table(table.ty, offset);
            if let TableInit::Expr(expression) = table.init {
                self.features.add(Feature::FunctionReferences, offset);
                operators::scan_constant(&expression, self.imported_globals, &mut self.features)?;
            }
        }
        Ok(())
    }

    fn read_globals(&mut self, list: GlobalSectionReader<'a>) -> Result<()> {
        for global in list.into_iter_with_offsets() {
            let (offset, global) = global?;
            types::scan_global(&global.ty, offset, &mut self.features);
            operators::scan_constant(&global.init_expr, self.imported_globals, &mut self.features)?;
            self.globals.push(Global { ty: global.ty, value: operators::i32_constant(&global.init_expr) });
        }
        Ok(())
    }

    fn read_exports(&mut self, list: ExportSectionReader<'a>) -> Result<()> {
        for export in list.into_iter_with_offsets() {
            let (offset, export) = export?;
            let kind = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => ExternKind::Function,
                ExternalKind::Table => ExternKind::Table,
                ExternalKind::Memory => ExternKind::Memory,
                ExternalKind::Global => ExternKind::Global,
                ExternalKind::Tag => ExternKind::Tag,
            };
            let global = self.globals.get(export.index as usize);
            if kind == ExternKind::Global && global.is_some_and(|global| global.ty.mutable) {
                self.features.add(Feature::MutableGlobal, offset);
            }
            self.exports.push(Export { name: export.name, kind, index: export.index, offset });
        }
        Ok(())
    }

    fn read_elements(&mut self, list: ElementSectionReader<'a>) -> Result<()> {
        for element in list.into_iter_with_offsets() {
            let (offset, element) = element?;
            match element.kind {
                ElementKind::Passive | ElementKind::Declared => self.features.add(Feature::BulkMemory, offset),
                ElementKind::Active { offset_expr, .. } => {
                    operators::scan_constant(&offset_expr, self.imported_globals, &mut self.features)?;
                }
            }
            match element.items {
                ElementItems::Functions(list) => {
                    for function in list {
                        function?;
                    }
                }
                ElementItems::Expressions(ty, list) => {
                    types::scan_reference(ty, offset, &mut self.features);
                    for expression in list {
                        operators::scan_constant(&expression?, self.imported_globals, &mut self.features)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn read_data(&mut self, list: DataSectionReader<'a>) -> Result<()> {
        for data in list.into_iter_with_offsets() {
            let (offset, data) = data?;
            match data.kind {
                DataKind::Passive => self.features.add(Feature::BulkMemory, offset),
                DataKind::Active { memory_index, offset_expr } => {
                    operators::scan_constant(&offset_expr, self.imported_globals, &mut self.features)?;
                    match operators::i32_constant(&offset_expr) {
                        _ if memory_index != 0 => {}
                        Some(address) => {
                            let end = u64::from(address) + data.data.len() as u64;
                            self.data_end = Some(end.max(self.data_end.unwrap_or(0)));
                        }
                        None => self.has_computed_data = true,
                    }
                }
            }
        }
        Ok(())
    }
}
