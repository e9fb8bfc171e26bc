//! The pass over a module: cuts it into sections, and knows the place when something cannot be read.

use super::Outline;
use crate::inspect::operators;
use crate::inspect::report::Section;
use crate::{Error, SectionKind};
use wasmparser::{Parser, Payload};

/// Reads a whole module.
pub(super) fn read(wasm: &[u8]) -> Result<Outline<'_>, Error> {
    let mut outline = Outline::default();
    // Where the section being read begins; which function body comes next, and how many of them are still to come.
    let (mut begin, mut body, mut bodies) = (0_u64, 0_u64, 0_u32);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| {
            if bodies > 0 {
                return malformed(SectionKind::Code, Some(format!("function {body}")), &error);
            }
            let id = usize::try_from(begin).ok().and_then(|begin| wasm.get(begin));
            // At the end of the bytes something that an earlier section promised is missing.
            let last = outline.sections.last().map_or(SectionKind::Custom, |section| section.kind);
            malformed(id.map_or(last, |id| SectionKind::from_id(*id)), None, &error)
        })?;
        if let Some((id, range)) = payload.as_section() {
            outline.sections.push(describe(id, &payload, begin, range.end));
            begin = range.end;
        }
        match payload {
            Payload::Version { range, .. } => begin = range.end,
            Payload::CodeSectionStart { count, .. } => {
                bodies = count;
                body = (outline.functions.len() as u64).saturating_sub(count.into());
            }
            Payload::CodeSectionEntry(function) => {
                operators::scan_body(&function, &mut outline.features)
                    .map_err(|error| malformed(SectionKind::Code, Some(format!("function {body}")), &error))?;
                body += 1;
                bodies = bodies.saturating_sub(1);
            }
            Payload::UnknownSection { id, range, .. } => {
                return Err(Error::Malformed {
                    section: SectionKind::Unknown(id),
                    name: None,
                    offset: range.start,
                    message: format!("there is no section with the identifier {id}"),
                });
            }
            other => {
                let kind = outline.sections.last().map_or(SectionKind::Custom, |section| section.kind);
                outline.read_section(other).map_err(|error| malformed(kind, None, &error))?;
            }
        }
    }
    Ok(outline)
}

fn malformed(section: SectionKind, name: Option<String>, error: &wasmparser::Error) -> Error {
    Error::Malformed { section, name, offset: error.offset(), message: error.message().to_owned() }
}

fn describe(id: u8, payload: &Payload<'_>, begin: u64, end: u64) -> Section {
    let name = match payload {
        Payload::CustomSection(custom) => Some(custom.name().to_owned()),
        _ => None,
    };
    let items = match payload {
        Payload::TypeSection(list) => Some(list.count()),
        Payload::ImportSection(list) => Some(list.count()),
        Payload::FunctionSection(list) => Some(list.count()),
        Payload::TableSection(list) => Some(list.count()),
        Payload::MemorySection(list) => Some(list.count()),
        Payload::TagSection(list) => Some(list.count()),
        Payload::GlobalSection(list) => Some(list.count()),
        Payload::ExportSection(list) => Some(list.count()),
        Payload::ElementSection(list) => Some(list.count()),
        Payload::DataSection(list) => Some(list.count()),
        Payload::CodeSectionStart { count, .. } => Some(*count),
        _ => None,
    };
    Section { kind: SectionKind::from_id(id), name, offset: begin, size: end.saturating_sub(begin), items }
}
