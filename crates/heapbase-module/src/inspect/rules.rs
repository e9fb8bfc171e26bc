//! The rules of the allocator specs. Each is one file; what all of them share is in `common`.

mod common;
mod legacy;
mod local;
mod v1;

use super::collector::Problems;
use super::flaw::{Flaw, Place};
use super::outline::Outline;
use super::report::ExternKind;
use crate::record::{Record, SECTION};
use crate::{SectionKind, Spec};

/// Tells the spec and checks the module against it.
pub(super) fn check(outline: &Outline<'_>, problems: &mut Problems) -> Spec {
    let spec = spec(outline, problems);
    match spec {
        Spec::Legacy => legacy::check(outline, spec, problems),
        Spec::V1 => v1::check(outline, problems),
        Spec::Local => local::check(outline, problems),
    }
    common::check(outline, spec, problems);
    spec
}

/// What a host sees, refined by the module's own record where both agree.
fn spec(outline: &Outline<'_>, problems: &mut Problems) -> Spec {
    let marker = outline.export("v1");
    let seen = match marker {
        Some(export) if export.kind == ExternKind::Function => Spec::V1,
        Some(export) => {
            let place = Place::at(SectionKind::Export, export.offset).named("v1");
            problems.add(Flaw::MarkerIsNoFunction { found: export.kind }, place);
            Spec::Legacy
        }
        None => Spec::Legacy,
    };
    let Some(section) = outline.custom(SECTION) else {
        return seen;
    };
    let place = Place::at(SectionKind::Custom, section.offset).named(SECTION);
    match Record::read(section.contents).map(|record| record.to) {
        Ok(Spec::Local) if seen == Spec::Legacy => Spec::Local,
        Ok(recorded) if recorded == seen => seen,
        Ok(recorded) => {
            problems.add(Flaw::RecordMismatch { recorded, seen }, place);
            seen
        }
        Err(error) => {
            problems.add(Flaw::UnreadableRecord { message: error.to_string() }, place);
            seen
        }
    }
}
