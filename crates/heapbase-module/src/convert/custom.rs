//! Custom sections: names and producers are carried over with what changed, what holds places in the code goes, everything
//! else stays byte for byte.

use super::{
    survey::{Section, Survey},
    write::{Output, Producer},
};
use wasm_encoder::{
    CustomSection, Encode, IndirectNameMap, Module, NameMap, NameSection, ProducersField, ProducersSection,
    reencode::{self, Reencode},
};
use wasmparser::BinaryReader;

/// heapbase in the section `producers`, and the field it stands in.
const TOOL: &str = "heapbase";
const FIELD: &str = "processed-by";

/// Whether a section holds offsets into the code or indices that nothing keeps true: debugging information, relocations, hints.
pub(crate) fn holds_code_places(name: &str) -> bool {
    name.starts_with(".debug_")
        || name.starts_with("reloc.")
        || name.starts_with("metadata.code.")
        || ["linking", "sourceMappingURL", "external_debug_info"].contains(&name)
}

/// Writes what a custom section becomes, if anything.
pub(super) fn write(output: &Output<'_>, module: &mut Module, section: &Section<'_>) {
    let contents = output.survey.contents(section);
    let name = section.name.unwrap_or_default();
    let data = match name {
        crate::record::SECTION => return,
        "name" => match names(output, contents) {
            Some(names) => names,
            // Indices that cannot be read cannot be corrected.
            None if moves(output) => return,
            None => contents.to_vec(),
        },
        "producers" => match producers(output.producer, contents) {
            Some(producers) if producers.is_empty() => return,
            Some(producers) => producers,
            None => contents.to_vec(),
        },
        _ if holds_code_places(name) => return,
        _ => contents.to_vec(),
    };
    module.section(&CustomSection { name: name.into(), data: data.into() });
}

/// Whether any function has another index than before.
fn moves(output: &Output<'_>) -> bool {
    output.places.iter().enumerate().any(|(before, after)| *after != Some(before as u32))
}

/// The name section with functions where they are now. `None` if it cannot be read.
fn names(output: &Output<'_>, contents: &[u8]) -> Option<Vec<u8>> {
    let mut names = NameSection::new();
    // They go into the first list of locals; a second one is none that a compiler made.
    let mut coming = &output.imported_locals[..];
    for subsection in wasmparser::NameSectionReader::new(BinaryReader::new(contents, 0)) {
        match subsection.ok()? {
            wasmparser::Name::Function(map) => {
                let mut list: Vec<(u32, &str)> =
                    output.imported_names.iter().map(|(index, name)| (*index, name.as_str())).collect();
                for naming in map {
                    let naming = naming.ok()?;
                    let place = output.places.get(naming.index as usize).copied().flatten();
                    list.extend(place.map(|place| (place, naming.name)));
                }
                let imports = output.survey.imported_functions as usize + output.added_imports.len();
                let first = imports - output.dropped_imports.len() + output.own_functions as usize;
                // One without a name is a function of the module's own that moved.
                let added = output.added.iter().enumerate().filter(|(_, added)| !added.name.is_empty());
                list.extend(added.map(|(place, added)| ((first + place) as u32, added.name.as_str())));
                let placed = output.slot_names.iter().filter(|(_, name, _)| !name.is_empty());
                list.extend(placed.map(|(index, name, _)| (*index, name.as_str())));
                list.sort_by_key(|(index, _)| *index);
                let mut map = NameMap::new();
                list.iter().for_each(|(index, name)| map.append(*index, name));
                names.functions(&map);
            }
            wasmparser::Name::Local(map) => names.locals(&within(output, map, std::mem::take(&mut coming))?),
            wasmparser::Name::Label(map) => names.labels(&within(output, map, &[])?),
            other => reencode::utils::parse_custom_name_subsection(&mut Places(output), &mut names, other).ok()?,
        }
    }
    let mut bytes = Vec::new();
    names.encode(&mut bytes);
    contents_of(&bytes)
}

/// Whether a module has a name section.
pub(super) fn has_names(wasm: &[u8]) -> bool {
    let is_name =
        |payload| matches!(payload, Ok(wasmparser::Payload::CustomSection(section)) if section.name() == "name");
    wasmparser::Parser::new(0).parse_all(wasm).any(is_name)
}

/// The functions that the name section names, and their names, as far as it can be read.
pub(super) fn function_names<'a>(survey: &Survey<'a>) -> impl Iterator<Item = (u32, &'a str)> {
    let subsections =
        survey.custom("name").map(|names| wasmparser::NameSectionReader::new(BinaryReader::new(names, 0)));
    subsections
        .into_iter()
        .flatten()
        .filter_map(|subsection| match subsection {
            Ok(wasmparser::Name::Function(names)) => Some(names),
            _ => None,
        })
        .flat_map(|names| names.into_iter().map_while(Result::ok))
        .map(|naming| (naming.index, naming.name))
}

/// The name of a function in the name section, if there is a section that can be read; empty if the function has none.
pub(super) fn name_of(survey: &Survey<'_>, function: u32) -> Option<String> {
    for subsection in wasmparser::NameSectionReader::new(BinaryReader::new(survey.custom("name")?, 0)) {
        if let wasmparser::Name::Function(map) = subsection.ok()? {
            let mut namings = map.into_iter().map_while(Result::ok);
            let naming = namings.find(|naming| naming.index == function);
            return Some(naming.map(|naming| naming.name.to_owned()).unwrap_or_default());
        }
    }
    None
}

/// The names of a function's parameters in the name section, if that has an entry for the function and can be read.
pub(super) fn locals_of(survey: &Survey<'_>, function: u32) -> Option<Vec<(u32, String)>> {
    for subsection in wasmparser::NameSectionReader::new(BinaryReader::new(survey.custom("name")?, 0)) {
        if let wasmparser::Name::Local(map) = subsection.ok()? {
            let found = map.into_iter().map_while(Result::ok).find(|names| names.index == function)?;
            let names = found.names.map(|naming| naming.map(|naming| (naming.index, naming.name.to_owned())));
            return names.collect::<Result<_, _>>().ok();
        }
    }
    None
}

/// Names of what lies inside of functions; those of functions that go, go with them, and those that are `coming` come.
fn within(
    output: &Output<'_>,
    map: wasmparser::IndirectNameMap<'_>,
    coming: &[(u32, Vec<(u32, String)>)],
) -> Option<IndirectNameMap> {
    let mut list: Vec<(u32, NameMap)> = Vec::new();
    for (function, locals) in coming {
        let mut inner = NameMap::new();
        locals.iter().for_each(|(index, name)| inner.append(*index, name));
        list.push((*function, inner));
    }
    for function in map {
        let function = function.ok()?;
        let mut inner = NameMap::new();
        for naming in function.names {
            let naming = naming.ok()?;
            inner.append(naming.index, naming.name);
        }
        let place = output.places.get(function.index as usize).copied().flatten();
        list.extend(place.map(|place| (place, inner)));
    }
    list.sort_by_key(|(index, _)| *index);
    let mut names = IndirectNameMap::new();
    list.iter().for_each(|(index, inner)| names.append(*index, inner));
    Some(names)
}

/// Functions, where they are now.
struct Places<'a>(&'a Output<'a>);

impl Reencode for Places<'_> {
    type Error = ();

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<()>> {
        self.0.places.get(function as usize).copied().flatten().ok_or(reencode::Error::UserError(()))
    }
}

/// A section of heapbase alone.
pub(super) fn own_producers() -> ProducersSection {
    let mut producers = ProducersSection::new();
    producers.field(FIELD, ProducersField::new().value(TOOL, env!("CARGO_PKG_VERSION")));
    producers
}

/// The contents of the section `producers` with heapbase; `None` if they cannot be read.
pub(crate) fn with_producer(contents: &[u8]) -> Option<Vec<u8>> {
    producers(Producer::Add, contents)
}

/// The section `producers` with heapbase or without; empty when nothing is left, `None` if it cannot be read.
fn producers(change: Producer, contents: &[u8]) -> Option<Vec<u8>> {
    let mut producers = ProducersSection::new();
    let mut fields = 0;
    let mut added = change == Producer::Remove;
    for field in wasmparser::ProducersSectionReader::new(BinaryReader::new(contents, 0)).ok()? {
        let field = field.ok()?;
        let mut values = ProducersField::new();
        let mut count = 0;
        for value in field.values {
            let value = value.ok()?;
            if field.name == FIELD && value.name == TOOL {
                continue;
            }
            values.value(value.name, value.version);
            count += 1;
        }
        if field.name == FIELD && !added {
            values.value(TOOL, env!("CARGO_PKG_VERSION"));
            count += 1;
            added = true;
        }
        if count > 0 {
            producers.field(field.name, &values);
            fields += 1;
        }
    }
    if !added {
        producers.field(FIELD, ProducersField::new().value(TOOL, env!("CARGO_PKG_VERSION")));
        fields += 1;
    }
    if fields == 0 {
        return Some(Vec::new());
    }
    let mut bytes = Vec::new();
    producers.encode(&mut bytes);
    contents_of(&bytes)
}

/// Whether the section `producers` names a tool that compiled the module.
pub(super) fn is_processed_by(survey: &Survey<'_>, tool: &str) -> bool {
    let Some(contents) = survey.custom("producers") else { return false };
    let Ok(fields) = wasmparser::ProducersSectionReader::new(BinaryReader::new(contents, 0)) else { return false };
    let mut values = fields.into_iter().map_while(Result::ok).filter(|field| field.name == FIELD);
    values.any(|field| field.values.into_iter().map_while(Result::ok).any(|value| value.name == tool))
}

/// What stands behind an encoded custom section's size and name.
fn contents_of(section: &[u8]) -> Option<Vec<u8>> {
    let mut reader = BinaryReader::new(section, 0);
    reader.read_var_u32().ok()?;
    reader.read_string().ok()?;
    Some(section[reader.current_position()..].to_vec())
}
