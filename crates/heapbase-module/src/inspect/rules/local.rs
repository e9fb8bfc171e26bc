//! `local`: legacy to every host, with an arena of the runtime's own below `__heap_base`.

use super::super::collector::Problems;
use super::super::flaw::{Flaw, Place};
use super::super::memory;
use super::super::outline::Outline;
use super::legacy;
use crate::{SectionKind, Spec};

/// Checks a module that records its conversion to `local`.
pub(super) fn check(outline: &Outline<'_>, problems: &mut Problems) {
    legacy::check(outline, Spec::Local, problems);
    let Some((heap_base, memory_end)) = outline.heap_base().zip(memory::initial_bytes(outline)) else {
        return;
    };
    if u64::from(heap_base) > memory_end {
        let offset = outline.export("__heap_base").map(|export| export.offset);
        let place = Place::of(SectionKind::Export, offset).named("__heap_base");
        problems.add(Flaw::ArenaOutsideMemory { heap_base, memory_end }, place);
    }
}
