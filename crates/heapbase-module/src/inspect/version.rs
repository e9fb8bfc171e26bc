//! What a runtime says about itself in custom sections, so that nodes need not execute it.
//!
//! `runtime_version` is a SCALE-encoded version without its list of APIs; the list is in `runtime_apis`. How many
//! fields the version has follows from the version of the `Core` API in that list, as in
//! [`sp_version::RuntimeVersion::decode_with_version_hint`].

use super::apis;
use super::collector::Problems;
use super::flaw::{Flaw, Place};
use super::outline::{Custom, Outline};
use super::report::{RuntimeApi, RuntimeVersion};
use crate::SectionKind;

/// Bytes of one entry of `runtime_apis`: an identifier and a version.
const ENTRY: usize = 12;

/// Reads both sections.
pub(super) fn read(outline: &Outline<'_>, problems: &mut Problems) -> (Option<RuntimeVersion>, Vec<RuntimeApi>) {
    let apis = outline.custom("runtime_apis").map(|section| read_apis(section, problems)).unwrap_or_default();
    let version = outline.custom("runtime_version").and_then(|section| read_version(section, &apis, problems));
    let name = |&(id, version): &([u8; 8], u32)| RuntimeApi {
        id: format!("0x{}", hex::encode(id)),
        name: apis::name(id),
        version,
    };
    (version, apis.iter().map(name).collect())
}

fn read_apis(section: &Custom<'_>, problems: &mut Problems) -> Vec<([u8; 8], u32)> {
    let (entries, rest) = section.contents.as_chunks::<ENTRY>();
    if !rest.is_empty() {
        let length = section.contents.len();
        problems.add(Flaw::ClippedApis { length }, place(section));
    }
    let entry = |&[a, b, c, d, e, f, g, h, i, j, k, l]: &[u8; ENTRY]| {
        ([a, b, c, d, e, f, g, h], u32::from_le_bytes([i, j, k, l]))
    };
    entries.iter().map(entry).collect()
}

fn read_version(section: &Custom<'_>, apis: &[([u8; 8], u32)], problems: &mut Problems) -> Option<RuntimeVersion> {
    let core = apis.iter().find(|(id, _)| apis::name(*id) == Some("Core")).map(|(_, version)| *version);
    let mut input = section.contents;
    match sp_version::RuntimeVersion::decode_with_version_hint(&mut input, core) {
        Ok(version) => Some(RuntimeVersion {
            spec_name: version.spec_name.into_owned(),
            impl_name: version.impl_name.into_owned(),
            authoring_version: version.authoring_version,
            spec_version: version.spec_version,
            impl_version: version.impl_version,
            transaction_version: version.transaction_version,
            system_version: version.system_version,
        }),
        Err(error) => {
            problems.add(Flaw::UnreadableVersion { message: error.to_string() }, place(section));
            None
        }
    }
}

fn place(section: &Custom<'_>) -> Place {
    Place::at(SectionKind::Custom, section.offset).named(section.name)
}
