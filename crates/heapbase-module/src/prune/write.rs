//! The pruned module, section by section.

use super::body::{Remap, rewrite};
use super::live::Live;
use super::shift::constant;
use crate::SectionKind;
use crate::convert::holds_code_places;
use crate::pass::{Parts, PassError, Renaming, Writer, with_names};
use wasm_encoder::{
    CodeSection, DataSection, ElementSection, ExportSection, FunctionSection, GlobalSection, ImportSection,
    StartSection, TableSection, TypeSection, reencode::Reencode,
};
use wasmparser::{BinaryReader, ElementKind, TypeRef};

/// Where things are now, by where they were; `None` for those that go.
pub(super) struct Places<'a> {
    functions: Vec<Option<u32>>,
    globals: Vec<Option<u32>>,
    types: Vec<Option<u32>>,
    live: &'a Live,
}

fn places(live: &[bool]) -> Vec<Option<u32>> {
    let mut next = 0;
    let place = |live: &bool| {
        live.then(|| {
            next += 1;
            next - 1
        })
    };
    live.iter().map(place).collect()
}

fn place(list: &[Option<u32>], index: u32, what: &str) -> Result<u32, PassError> {
    list.get(index as usize).copied().flatten().ok_or_else(|| PassError::Result {
        message: format!("{what} {index} is still used, and was to be taken out"),
        offset: 0,
    })
}

impl Places<'_> {
    /// A function.
    pub(super) fn function(&self, index: u32) -> Result<u32, PassError> {
        place(&self.functions, index, "function")
    }

    /// A global.
    pub(super) fn global(&self, index: u32) -> Result<u32, PassError> {
        place(&self.globals, index, "global")
    }

    /// A type.
    pub(super) fn ty(&self, index: u32) -> Result<u32, PassError> {
        place(&self.types, index, "type")
    }
}

/// Writes the module.
pub(super) fn write(
    parts: &Parts<'_>,
    exports: &[bool],
    live: &Live,
    shift: Option<u32>,
    changes: &mut Vec<String>,
) -> Result<Vec<u8>, PassError> {
    let places =
        Places { functions: places(&live.functions), globals: places(&live.globals), types: places(&live.types), live };
    let mut writer = Writer::new(parts.wasm);
    for section in &parts.sections {
        let contents = parts.contents(section);
        let reader = || BinaryReader::new(contents, section.range.start as u64);
        match section.kind {
            SectionKind::Type if live.types.contains(&false) => {
                let mut types = TypeSection::new();
                for (ty, _) in parts.types.iter().zip(&live.types).filter(|(_, live)| **live) {
                    // Only plain ones go, and only where all are.
                    types.ty().subtype(&Remap(&places).sub_type(ty.ty.clone())?);
                }
                writer.section(&types);
            }
            SectionKind::Import => writer.section(&imports(parts, &places)?),
            SectionKind::Function => {
                let mut functions = FunctionSection::new();
                for (index, ty) in parts.functions.iter().enumerate().skip(parts.imported_functions as usize) {
                    if live.functions.get(index) == Some(&true) {
                        functions.function(places.ty(*ty)?);
                    }
                }
                writer.section(&functions);
            }
            SectionKind::Table => {
                let mut tables = TableSection::new();
                if let (Some(shift), [(_, table)]) = (shift, &parts.tables[..]) {
                    let mut ty = Remap(&places).table_type(table.ty)?;
                    ty.minimum -= u64::from(shift);
                    ty.maximum = ty.maximum.map(|maximum| maximum - u64::from(shift));
                    tables.table(ty);
                } else {
                    let reader = wasmparser::TableSectionReader::new(reader())?;
                    Remap(&places).parse_table_section(&mut tables, reader)?;
                }
                writer.section(&tables);
            }
            SectionKind::Global => {
                let mut globals = GlobalSection::new();
                let own = parts.globals.iter().zip(live.globals.iter().skip(parts.imported_globals() as usize));
                for ((_, global), _) in own.filter(|(_, live)| **live) {
                    let ty = Remap(&places).global_type(global.ty)?;
                    globals.global(ty, &Remap(&places).const_expr(global.init_expr.clone())?);
                }
                writer.section(&globals);
            }
            SectionKind::Export => {
                let mut list = ExportSection::new();
                for ((_, export), _) in parts.exports.iter().zip(exports).filter(|(_, stays)| **stays) {
                    Remap(&places).parse_export(&mut list, *export)?;
                }
                writer.section(&list);
            }
            SectionKind::Start => {
                let start = parts.start.unwrap_or_default();
                writer.section(&StartSection { function_index: places.function(start)? });
            }
            SectionKind::Element => writer.section(&elements(parts, &places, shift)?),
            SectionKind::Code => writer.section(&code(parts, &places, shift)?),
            SectionKind::Data => {
                let mut data = DataSection::new();
                Remap(&places).parse_data_section(&mut data, wasmparser::DataSectionReader::new(reader())?)?;
                writer.section(&data);
            }
            SectionKind::Custom => custom(&places, &mut writer, section.name, contents, changes),
            kind => writer.raw(kind, contents),
        }
    }
    writer.finish()
}

fn imports(parts: &Parts<'_>, places: &Places<'_>) -> Result<ImportSection, PassError> {
    let mut imports = ImportSection::new();
    let (mut function, mut global) = (0, 0);
    for (_, import) in &parts.imports {
        let stays = match import.ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                function += 1;
                places.live.functions.get(function - 1) == Some(&true)
            }
            TypeRef::Global(_) => {
                global += 1;
                places.live.globals.get(global - 1) == Some(&true)
            }
            _ => true,
        };
        if stays {
            imports.import(import.module, import.name, Remap(places).entity_type(import.ty)?);
        }
    }
    Ok(imports)
}

fn elements(parts: &Parts<'_>, places: &Places<'_>, shift: Option<u32>) -> Result<ElementSection, PassError> {
    let mut elements = ElementSection::new();
    for element in &parts.elements {
        let moved = match (&element.kind, shift) {
            (ElementKind::Active { offset_expr, .. }, Some(shift)) => constant(offset_expr).map(|at| at - shift),
            _ => None,
        };
        match moved {
            None => Remap(places).parse_element(&mut elements, element.clone())?,
            Some(place) => {
                let items = Remap(places).element_items(element.items.clone())?;
                elements.active(None, &wasm_encoder::ConstExpr::i32_const(place.cast_signed()), items);
            }
        }
    }
    Ok(elements)
}

fn code(parts: &Parts<'_>, places: &Places<'_>, shift: Option<u32>) -> Result<CodeSection, PassError> {
    let moves = |list: &[Option<u32>]| list.iter().enumerate().any(|(before, after)| *after != Some(before as u32));
    // Where only later ones went, nothing is called otherwise.
    let rewrites = shift.is_some() || moves(&places.functions) || moves(&places.globals) || moves(&places.types);
    let mut code = CodeSection::new();
    let own = places.live.functions.iter().skip(parts.imported_functions as usize);
    for (body, _) in parts.bodies.iter().zip(own).filter(|(_, live)| **live) {
        if rewrites {
            code.raw(&rewrite(parts, places, body, shift)?);
        } else {
            code.raw(body.as_bytes());
        }
    }
    Ok(code)
}

fn custom(places: &Places<'_>, writer: &mut Writer, name: &str, contents: &[u8], changes: &mut Vec<String>) {
    if name == "name" {
        let renaming = Renaming {
            functions: Some(&places.functions),
            types: Some(&places.types),
            globals: Some(&places.globals),
            ..Renaming::default()
        };
        match with_names(contents, &renaming) {
            Some(names) => writer.custom(name, &names),
            None => changes.push("dropped the custom section `name`, which cannot be read".to_owned()),
        }
    } else if holds_code_places(name) {
        changes.push(format!("dropped the custom section `{name}`: places in the code have moved"));
    } else {
        writer.custom(name, contents);
    }
}
