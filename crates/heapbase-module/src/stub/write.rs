//! Writes the module: what was imported in front of the module's own, everything else as it lies.

use super::{
    Policy, StubError, Stubbed, invalid, names,
    source::{Section, Source},
    start,
};
use crate::SectionKind;
use crate::convert::holds_code_places;
use crate::splice::{Splice, appended, prepended};
use wasm_encoder::{
    ConstExpr, Encode, ExportKind, ExportSection, Function, Instruction, RawSection, Section as _,
    reencode::{Reencode, RoundtripReencoder},
};

/// More elements than this no engine gives a table.
const MOST_ELEMENTS: u64 = 10_000_000;

/// What is added to one section.
struct Addition {
    kind: SectionKind,
    count: u32,
    items: Vec<u8>,
}

/// The sections that can gain items, in the order in which they stand in a module. Custom ones stand anywhere.
fn rank(kind: SectionKind) -> Option<u32> {
    use SectionKind::*;
    let order = [Type, Import, Function, Table, Memory, Tag, Global, Export, Start, Element, DataCount, Code, Data];
    order.iter().position(|other| *other == kind).map(|rank| rank as u32)
}

fn id(kind: SectionKind) -> u8 {
    (1..=13).find(|id| SectionKind::from_id(*id) == kind).unwrap_or(0)
}

/// The new module.
pub(super) fn write(source: &Source<'_>, policy: Policy) -> Result<Stubbed, StubError> {
    let mut told = Told::default();
    let additions = additions(source, policy, &mut told)?;
    let mut wasm = crate::blob::WASM_MAGIC.to_vec();
    let mut named = false;
    for (place, section) in source.sections.iter().enumerate() {
        match section.kind {
            SectionKind::Import => {}
            SectionKind::Custom => custom(source, section, &mut wasm, &mut named, &mut told),
            kind => {
                let addition = additions.iter().find(|addition| addition.kind == kind);
                changed(source, section, addition, &mut wasm)?;
            }
        }
        // Sections that the module did not have, in their place.
        let Some(here) = rank(section.kind) else { continue };
        let next = source.sections[place + 1..].iter().find_map(|section| rank(section.kind)).unwrap_or(u32::MAX);
        for addition in &additions {
            if rank(addition.kind).is_some_and(|rank| here < rank && rank < next) {
                let mut data = Vec::new();
                addition.count.encode(&mut data);
                data.extend_from_slice(&addition.items);
                raw(addition.kind, &data, &mut wasm);
            }
        }
    }
    if !named {
        wasm.extend(names::fresh(source));
    }
    if policy == Policy::Trap && start::reaches_imports(source) {
        told.warnings.push(
            "the start function may call an imported function: then instantiating the module traps; --policy zero lets it \
             run on"
                .to_owned(),
        );
    }
    Ok(Stubbed { wasm, changes: told.changes, warnings: told.warnings })
}

#[derive(Default)]
struct Told {
    changes: Vec<String>,
    warnings: Vec<String>,
}

fn plural(count: usize, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

/// What every section gains.
fn additions(source: &Source<'_>, policy: Policy, told: &mut Told) -> Result<Vec<Addition>, StubError> {
    let mut list = Vec::new();
    let mut add = |kind, count: usize, items: Vec<u8>| {
        if count > 0 {
            list.push(Addition { kind, count: count as u32, items });
        }
    };
    let mut functions = Vec::new();
    let mut bodies = Vec::new();
    for function in &source.functions {
        function.ty.encode(&mut functions);
        body(source, function, policy)?.encode(&mut bodies);
    }
    if !source.functions.is_empty() {
        let functions = plural(source.functions.len(), "imported function", "imported functions");
        told.changes.push(match policy {
            Policy::Trap => format!("{functions}: traps when called, by the name `module.name` in a backtrace"),
            Policy::Zero => format!("{functions}: returns zeros"),
        });
    }
    add(SectionKind::Function, source.functions.len(), functions);

    let mut tables = Vec::new();
    for table in &source.tables {
        let mut ty = table.ty;
        if table.needed > MOST_ELEMENTS {
            told.warnings.push(format!(
                "an element segment ends at {} of the table `{}`, more than engines give: instantiating fails",
                table.needed, table.name
            ));
        } else {
            let larger = table.needed.min(ty.maximum.unwrap_or(u64::MAX));
            raise(&mut ty.initial, larger, "table", "elements", &table.name, told);
        }
        RoundtripReencoder.table_type(ty).map_err(encoding)?.encode(&mut tables);
    }
    if !source.tables.is_empty() {
        told.changes.push(format!("{}: empty", plural(source.tables.len(), "imported table", "imported tables")));
    }
    add(SectionKind::Table, source.tables.len(), tables);

    let mut memories = Vec::new();
    for memory in &source.memories {
        let mut ty = memory.ty;
        let page = ty.page_size_log2.unwrap_or(16);
        let pages = memory.needed.div_ceil(1 << page);
        let ceiling = if ty.memory64 { u64::MAX } else { 1 << 32 } >> page;
        let larger = pages.min(ty.maximum.unwrap_or(ceiling).min(ceiling));
        raise(&mut ty.initial, larger, "memory", "pages", &memory.name, told);
        RoundtripReencoder.memory_type(ty).map_err(encoding)?.encode(&mut memories);
    }
    add(SectionKind::Memory, source.memories.len(), memories);

    let mut tags = Vec::new();
    for tag in &source.tags {
        RoundtripReencoder.tag_type(*tag).map_err(encoding)?.encode(&mut tags);
    }
    if !source.tags.is_empty() {
        told.changes.push(format!("{}: new", plural(source.tags.len(), "imported tag", "imported tags")));
    }
    add(SectionKind::Tag, source.tags.len(), tags);

    let mut globals = Vec::new();
    for (ty, zero) in &source.globals {
        RoundtripReencoder.global_type(*ty).map_err(encoding)?.encode(&mut globals);
        ConstExpr::raw(zero.iter().copied()).encode(&mut globals);
    }
    if !source.globals.is_empty() {
        told.changes.push(format!("{}: zero", plural(source.globals.len(), "imported global", "imported globals")));
    }
    add(SectionKind::Global, source.globals.len(), globals);

    for (place, memory) in source.memories.iter().enumerate() {
        let exported = if place > 0 {
            ""
        } else if source.exports.contains(&"memory") {
            "; the export `memory` is as it was"
        } else {
            ", exported as `memory`"
        };
        told.changes.push(format!("imported memory `{}`: the module's own{exported}", memory.name));
    }
    if !source.memories.is_empty() && !source.exports.contains(&"memory") {
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        let mut items = Vec::new();
        exports.encode(&mut items);
        // Behind the section's size and the count of 1, of a byte each.
        add(SectionKind::Export, 1, items.split_off(2));
    }
    add(SectionKind::Code, source.functions.len(), bodies);
    Ok(list)
}

fn raise(minimum: &mut u64, to: u64, what: &str, unit: &str, name: &str, told: &mut Told) {
    if *minimum < to {
        told.changes
            .push(format!("imported {what} `{name}`: {to} {unit} instead of {minimum}, for the segments in it"));
        *minimum = to;
    }
}

/// The body of a function that was imported.
fn body(source: &Source<'_>, function: &super::source::Function, policy: Policy) -> Result<Function, StubError> {
    let mut body = Function::new([]);
    match policy {
        Policy::Trap => {
            body.instruction(&Instruction::Unreachable);
        }
        Policy::Zero => {
            let ty = source.types.get(function.ty as usize).and_then(Option::as_ref);
            for ty in ty.map_or(&[][..], |ty| ty.results()) {
                let zero = super::source::zero(*ty).ok_or_else(|| StubError::NoZero {
                    what: "a result of the function",
                    name: function.name.clone(),
                    ty: ty.to_string(),
                    offset: function.offset,
                    function: true,
                })?;
                body.raw(zero);
            }
        }
    }
    body.instruction(&Instruction::End);
    Ok(body)
}

/// A section with what is added to it, and without reads of imported globals in its constant expressions.
fn changed(
    source: &Source<'_>,
    section: &Section<'_>,
    addition: Option<&Addition>,
    wasm: &mut Vec<u8>,
) -> Result<(), StubError> {
    let first = source.edits.partition_point(|(range, _)| range.start < section.contents.start);
    let last = source.edits.partition_point(|(range, _)| range.start < section.contents.end);
    let edits = &source.edits[first..last];
    if edits.is_empty() && addition.is_none() {
        wasm.extend_from_slice(&source.wasm[section.whole.clone()]);
        return Ok(());
    }
    let mut splice = Splice::new(source.wasm, section.contents.clone());
    for (range, with) in edits {
        splice.replace(range.clone(), with);
    }
    let mut data = splice.finish();
    if let Some(Addition { kind, count, items }) = addition {
        // Exports are named, so the new one goes behind; everything else is counted, so what was imported stays in front.
        let joined = if *kind == SectionKind::Export { appended } else { prepended }(&data, *count, items);
        data = joined.map_err(|error| invalid(&error))?;
    }
    raw(section.kind, &data, wasm);
    Ok(())
}

fn custom(source: &Source<'_>, section: &Section<'_>, wasm: &mut Vec<u8>, named: &mut bool, told: &mut Told) {
    let whole = &source.wasm[section.whole.clone()];
    let name = section.name.unwrap_or_default();
    if name == "name" && !*named {
        *named = true;
        match names::extended(source, &source.wasm[section.contents.clone()]) {
            Some(section) => return wasm.extend(section),
            None => told.warnings.push(
                "the section `name` cannot be read: it stays as it is, and backtraces do not name what was imported"
                    .to_owned(),
            ),
        }
    }
    // Hints for branches count from the function that they are for, and no function's index changed.
    let stays = !holds_code_places(name) || name.starts_with("metadata.code.") || source.functions.is_empty();
    if stays {
        wasm.extend_from_slice(whole);
    } else {
        told.changes.push(format!("section `{name}`: left out, as it holds places in the code that moved"));
    }
}

fn raw(kind: SectionKind, data: &[u8], wasm: &mut Vec<u8>) {
    RawSection { id: id(kind), data }.append_to(wasm);
}

/// A type that the encoder cannot write.
fn encoding(error: wasm_encoder::reencode::Error) -> StubError {
    StubError::Invalid { message: error.to_string(), offset: 0 }
}
