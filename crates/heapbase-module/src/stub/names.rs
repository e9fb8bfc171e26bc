//! The section `name`, with the names of the new functions.

use super::source::Source;
use wasm_encoder::{CustomSection, Encode, NameMap, Section};
use wasmparser::BinaryReader;

/// The subsection of function names.
const FUNCTIONS: u8 = 1;

/// A section for a module that has none; nothing where no function is new.
pub(super) fn fresh(source: &Source<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !source.functions.is_empty() {
        section(&subsection(source, &[])).append_to(&mut bytes);
    }
    bytes
}

/// The whole section with the names of imported functions made `module.name`; every other subsection stays byte for byte. `None`
/// if it cannot be read.
pub(super) fn extended(source: &Source<'_>, contents: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::with_capacity(contents.len() + 64 * source.functions.len());
    let mut wrote = source.functions.is_empty();
    let mut reader = BinaryReader::new(contents, 0);
    while !reader.eof() {
        let start = reader.current_position();
        let id = reader.read_u8().ok()?;
        let size = reader.read_var_u32().ok()?;
        let payload = reader.read_bytes(size as usize).ok()?;
        if !wrote && id >= FUNCTIONS {
            let own = if id == FUNCTIONS { own_names(source, payload)? } else { Vec::new() };
            data.extend(subsection(source, &own));
            wrote = true;
            if id == FUNCTIONS {
                continue;
            }
        }
        data.extend_from_slice(&contents[start..reader.current_position()]);
    }
    if !wrote {
        data.extend(subsection(source, &[]));
    }
    let mut bytes = Vec::new();
    section(&data).append_to(&mut bytes);
    Some(bytes)
}

fn section(data: &[u8]) -> CustomSection<'_> {
    CustomSection { name: "name".into(), data: data.into() }
}

/// The names of functions that were not imported.
fn own_names<'a>(source: &Source<'_>, payload: &'a [u8]) -> Option<Vec<(u32, &'a str)>> {
    let mut reader = BinaryReader::new(payload, 0);
    let count = reader.read_var_u32().ok()?;
    let mut own = Vec::new();
    for _ in 0..count {
        let (function, name) = (reader.read_var_u32().ok()?, reader.read_unlimited_string().ok()?);
        if function as usize >= source.functions.len() {
            own.push((function, name));
        }
    }
    reader.eof().then_some(own)
}

/// The subsection of function names, with those of the imports first.
fn subsection(source: &Source<'_>, own: &[(u32, &str)]) -> Vec<u8> {
    let mut map = NameMap::new();
    for (function, import) in source.functions.iter().enumerate() {
        map.append(function as u32, &import.name);
    }
    own.iter().for_each(|(function, name)| map.append(*function, name));
    let mut payload = Vec::new();
    map.encode(&mut payload);
    let mut bytes = vec![FUNCTIONS];
    payload.as_slice().encode(&mut bytes);
    bytes
}
