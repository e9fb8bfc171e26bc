//! The section `name`, kept true.

use wasm_encoder::{Encode, IndirectNameMap, NameMap, NameSection};
use wasmparser::{BinaryReader, Name, NameSectionReader};

/// Where things are now. What is `None` stays where it is; an item that is `None` in a list is gone, and its name with it.
#[derive(Default)]
pub(crate) struct Renaming<'a> {
    pub(crate) functions: Option<&'a [Option<u32>]>,
    pub(crate) types: Option<&'a [Option<u32>]>,
    pub(crate) globals: Option<&'a [Option<u32>]>,
    pub(crate) elements: Option<&'a [Option<u32>]>,
    pub(crate) data: Option<&'a [Option<u32>]>,
    /// Where locals of a function are now: `(function, local)`, both by their old indices.
    pub(crate) locals: Option<&'a dyn Fn(u32, u32) -> u32>,
    /// Whether the labels of a function, by its old index, are still the same ones.
    pub(crate) keeps_labels: Option<&'a dyn Fn(u32) -> bool>,
    /// Functions and globals that came, behind all others.
    pub(crate) added_functions: &'a [(u32, String)],
    pub(crate) added_globals: &'a [(u32, String)],
}

fn moved(list: Option<&[Option<u32>]>, index: u32) -> Option<u32> {
    list.map_or(Some(index), |list| list.get(index as usize).copied().flatten())
}

/// The contents of the section with names where things are now. `None` if it cannot be read.
pub(crate) fn with_names(contents: &[u8], renaming: &Renaming<'_>) -> Option<Vec<u8>> {
    let mut names = NameSection::new();
    for subsection in NameSectionReader::new(BinaryReader::new(contents, 0)) {
        match subsection.ok()? {
            Name::Module { name, .. } => names.module(name),
            Name::Function(map) => {
                names.functions(&direct(map, renaming.functions, renaming.added_functions)?);
            }
            Name::Local(map) => {
                let local = |function, local| renaming.locals.map_or(Some(local), |f| Some(f(function, local)));
                names.locals(&indirect(map, renaming.functions, &local)?);
            }
            Name::Label(map) => {
                let label =
                    |function, label| renaming.keeps_labels.is_none_or(|keeps| keeps(function)).then_some(label);
                names.labels(&indirect(map, renaming.functions, &label)?);
            }
            Name::Type(map) => names.types(&direct(map, renaming.types, &[])?),
            Name::Table(map) => names.tables(&direct(map, None, &[])?),
            Name::Memory(map) => names.memories(&direct(map, None, &[])?),
            Name::Global(map) => names.globals(&direct(map, renaming.globals, renaming.added_globals)?),
            Name::Element(map) => names.elements(&direct(map, renaming.elements, &[])?),
            Name::Data(map) => names.data(&direct(map, renaming.data, &[])?),
            Name::Tag(map) => names.tags(&direct(map, None, &[])?),
            Name::Field(map) => names.fields(&indirect(map, renaming.types, &|_, field| Some(field))?),
            Name::Parameter(map) => names.parameters(&indirect(map, renaming.types, &|_, param| Some(param))?),
            Name::TagParameter(map) => names.tag_parameters(&indirect(map, None, &|_, param| Some(param))?),
            Name::Unknown { ty, data, .. } => names.raw(ty, data),
        }
    }
    let mut bytes = Vec::new();
    names.encode(&mut bytes);
    // Behind the section's size and name.
    let mut reader = BinaryReader::new(&bytes, 0);
    reader.read_var_u32().ok()?;
    reader.read_string().ok()?;
    bytes.get(reader.current_position()..).map(<[u8]>::to_vec)
}

/// Names of things by their index.
fn direct(map: wasmparser::NameMap<'_>, places: Option<&[Option<u32>]>, added: &[(u32, String)]) -> Option<NameMap> {
    let mut list: Vec<(u32, &str)> = Vec::new();
    for naming in map {
        let naming = naming.ok()?;
        list.extend(moved(places, naming.index).map(|index| (index, naming.name)));
    }
    list.extend(added.iter().map(|(index, name)| (*index, name.as_str())));
    list.sort_by_key(|(index, _)| *index);
    let mut names = NameMap::new();
    list.iter().for_each(|(index, name)| names.append(*index, name));
    Some(names)
}

/// Names of things by the index of what they lie in and their own.
fn indirect(
    map: wasmparser::IndirectNameMap<'_>,
    places: Option<&[Option<u32>]>,
    inner: &dyn Fn(u32, u32) -> Option<u32>,
) -> Option<IndirectNameMap> {
    let mut list: Vec<(u32, NameMap)> = Vec::new();
    for outer in map {
        let outer = outer.ok()?;
        let mut names = NameMap::new();
        let mut any = false;
        for naming in outer.names {
            let naming = naming.ok()?;
            if let Some(index) = inner(outer.index, naming.index) {
                names.append(index, naming.name);
                any = true;
            }
        }
        if any {
            list.extend(moved(places, outer.index).map(|index| (index, names)));
        }
    }
    list.sort_by_key(|(index, _)| *index);
    let mut names = IndirectNameMap::new();
    list.iter().for_each(|(index, inner)| names.append(*index, inner));
    Some(names)
}
