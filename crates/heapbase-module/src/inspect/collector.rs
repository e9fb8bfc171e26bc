//! Collects problems, and keeps a hostile module from making the report larger than itself.

use super::flaw::{Flaw, Place, Problem};
use crate::SectionKind;
use std::collections::BTreeMap;

/// How often the same flaw is listed before the rest is only counted.
const LISTED: u64 = 20;

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    counts: BTreeMap<&'static str, u64>,
}

impl Problems {
    /// Adds one, unless there are many of its code already.
    pub(super) fn add(&mut self, flaw: Flaw, place: Place) {
        let problem = Problem { flaw, place };
        let count = self.counts.entry(problem.code()).or_default();
        *count += 1;
        if *count <= LISTED {
            self.found.push(problem);
        }
    }

    /// All of them, the worst first.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        for (code, count) in self.counts {
            if count > LISTED {
                let flaw = Flaw::More { code, count: count - LISTED };
                self.found.push(Problem { flaw, place: Place::default() });
            }
        }
        self.found.sort_by_key(Problem::severity);
        self.found
    }
}

impl Place {
    /// In a section, at an offset.
    pub(super) fn at(section: SectionKind, offset: u64) -> Self {
        Self { section: Some(section), name: None, offset: Some(offset) }
    }

    /// In a section as a whole; the offset is where the section begins, if it is there at all.
    pub(super) fn of(section: SectionKind, offset: Option<u64>) -> Self {
        Self { section: Some(section), name: None, offset }
    }

    /// The same, with a name.
    pub(super) fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }
}
