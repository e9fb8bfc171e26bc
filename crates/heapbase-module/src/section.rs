//! The kinds of section that a module is made of.

use serde::{Serialize, Serializer};
use std::fmt;
use wasmparser::{Parser, Payload};

/// The kind of a section, by its identifier in the binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SectionKind {
    /// Anything that carries a name instead of a meaning (0).
    Custom,
    /// Function types (1).
    Type,
    /// Imports (2).
    Import,
    /// The types of the module's own functions (3).
    Function,
    /// Tables (4).
    Table,
    /// Memories (5).
    Memory,
    /// Globals (6).
    Global,
    /// Exports (7).
    Export,
    /// The start function (8).
    Start,
    /// Table contents (9).
    Element,
    /// Function bodies (10).
    Code,
    /// Memory contents (11).
    Data,
    /// How many data segments there are (12).
    DataCount,
    /// Exception tags (13).
    Tag,
    /// A number that stands for no section.
    Unknown(u8),
}

impl SectionKind {
    /// The kind that the identifier `id` stands for.
    pub fn from_id(id: u8) -> Self {
        match id {
            0 => Self::Custom,
            1 => Self::Type,
            2 => Self::Import,
            3 => Self::Function,
            4 => Self::Table,
            5 => Self::Memory,
            6 => Self::Global,
            7 => Self::Export,
            8 => Self::Start,
            9 => Self::Element,
            10 => Self::Code,
            11 => Self::Data,
            12 => Self::DataCount,
            13 => Self::Tag,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Custom => "custom",
            Self::Type => "type",
            Self::Import => "import",
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Export => "export",
            Self::Start => "start",
            Self::Element => "element",
            Self::Code => "code",
            Self::Data => "data",
            Self::DataCount => "data-count",
            Self::Tag => "tag",
            Self::Unknown(id) => return write!(f, "unknown-{id}"),
        })
    }
}

impl Serialize for SectionKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The section that an offset lies in; what cannot be read belongs to the one that begins behind the last that could.
pub(crate) fn section_at(wasm: &[u8], offset: usize) -> (SectionKind, Option<String>) {
    let mut found = (SectionKind::Custom, None);
    let mut end = crate::blob::WASM_MAGIC.len();
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        let name = match &payload {
            Payload::CustomSection(section) => Some(section.name().to_owned()),
            _ => None,
        };
        let Some((id, range)) = payload.as_section() else { continue };
        found = (SectionKind::from_id(id), name);
        // Identifier and size stand in front of the contents, and belong to the section.
        end = range.end as usize;
        if offset < end {
            return found;
        }
    }
    match wasm.get(end) {
        Some(id) => (SectionKind::from_id(*id), None),
        None => found,
    }
}
