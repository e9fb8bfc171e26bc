//! Where things lie in a converted module's memory.

use super::{allocator::AllocatorModule, error::ConvertError, survey::Survey};
use crate::SectionKind;
use crate::spec::Spec;

/// Bytes of a WebAssembly page.
pub(super) const WASM_PAGE: u64 = 64 * 1024;
/// Bytes of a page of the machines that nodes run on.
const PAGE: u64 = 4096;
/// Alignment of state, arena and heap base.
const ALIGN: u64 = 16;
/// What is left of the arena's last page for the host's first blocks: what it allocates on the shortest call.
const HOST_SHARE: u64 = 512;
/// Near memory has room for a few blocks.
const LEAST_NEAR: u64 = 256;
/// Pages of a 32-bit memory.
const CEILING: u64 = 65_536;

/// The layout of one conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) spec: Spec,
    /// The allocator's state, near memory behind it.
    pub(super) state: u32,
    pub(super) near_end: u32,
    pub(super) far_start: u32,
    pub(super) far_end: u32,
    /// Everything the allocator gives out lies from here on, and under local below `high`.
    pub(super) low: u32,
    pub(super) high: u32,
    /// The new `__heap_base`, under local.
    pub(super) heap_base: Option<u32>,
    pub(super) minimum: u64,
    pub(super) maximum: Option<u64>,
}

impl Layout {
    /// Lays a module out. `arena` is in bytes and counts under local only.
    pub(super) fn new(
        survey: &Survey<'_>,
        spec: Spec,
        arena: u32,
        allocator: &AllocatorModule<'_>,
    ) -> Result<Self, ConvertError> {
        let [memory] = survey.memories[..] else {
            return Err(ConvertError::unsupported(
                format!("the module has {} memories", survey.memories.len()),
                SectionKind::Memory,
                "a runtime has one, imported as `env.memory` or exported as `memory`",
            ));
        };
        if memory.memory64 || memory.shared || memory.page_size_log2.is_some_and(|log2| log2 != 16) {
            return Err(ConvertError::unsupported(
                "the memory is 64-bit, shared, or has pages of another size",
                SectionKind::Memory,
                "nodes load modules with one plain 32-bit memory",
            ));
        }
        if memory.initial.max(memory.maximum.unwrap_or_default()) > CEILING {
            return Err(ConvertError::unsupported(
                format!("the memory has more than {CEILING} pages"),
                SectionKind::Memory,
                "that is past 4 GiB; the module is damaged, build it again",
            ));
        }
        // Without a heap base nothing is known to be free below the end of the memory.
        let base = survey.heap_base.map_or(memory.initial * WASM_PAGE, |base| u64::from(base.value));
        let low = base.max(survey.data_end).next_multiple_of(ALIGN);
        let state = State {
            size: u64::from(allocator.state_size).next_multiple_of(ALIGN),
            cold: u64::from(allocator.state_cold) & !(ALIGN - 1),
        };
        if spec == Spec::V1 { v1(memory, low, &state) } else { local(memory, base, low, arena.into(), &state) }
    }

    /// Takes the arena's first word away from the allocator; its address.
    pub(super) fn take_word(&mut self) -> u32 {
        let word = self.low;
        self.low += ALIGN as u32;
        self.far_start += ALIGN as u32;
        word
    }
}

/// Bytes of the allocator's state, and how many of them, from its beginning on, a short call leaves alone.
struct State {
    size: u64,
    cold: u64,
}

/// The state at the beginning of the heap, near memory up to the end of the minimum, and growth.
fn v1(memory: wasmparser::MemoryType, low: u64, state: &State) -> Result<Layout, ConvertError> {
    let needed = (low + state.size + LEAST_NEAR).div_ceil(WASM_PAGE);
    let minimum = memory.initial.max(needed);
    let maximum = memory.maximum.map(|maximum| maximum.max(minimum));
    if minimum >= CEILING {
        return Err(ConvertError::unsupported(
            format!(
                "`__heap_base` or the memory's end leaves no room for a heap: it would need {minimum} pages of 64 KiB"
            ),
            SectionKind::Memory,
            "a 32-bit memory ends at 65536; build the runtime with fewer initial pages",
        ));
    }
    let near_end = (minimum * WASM_PAGE) as u32;
    Ok(Layout {
        spec: Spec::V1,
        state: low as u32,
        near_end,
        far_start: near_end,
        far_end: near_end,
        low: low as u32,
        high: u32::MAX,
        heap_base: None,
        minimum,
        maximum,
    })
}

/// State and near memory in the arena's last page, which the host's heap shares; what is cold of the state and the far memory
/// below.
fn local(
    memory: wasmparser::MemoryType,
    base: u64,
    low: u64,
    arena: u64,
    state: &State,
) -> Result<Layout, ConvertError> {
    let room = (state.size - state.cold + LEAST_NEAR + HOST_SHARE).next_multiple_of(PAGE);
    let least = state.cold + room + PAGE;
    if arena < least {
        return Err(ConvertError::TooSmall { arena, least });
    }
    let page = (low + arena - room) & !(PAGE - 1);
    let heap_base = page + room - HOST_SHARE;
    let state = page - state.cold;
    // At least as many bytes above the heap base as before.
    let added = (heap_base - base).div_ceil(WASM_PAGE);
    // A heap base above the memory is where the host would have grown it to.
    let minimum = (memory.initial + added).max(heap_base.div_ceil(WASM_PAGE));
    let maximum = memory.maximum.map(|maximum| (maximum + added).max(minimum));
    if let Some(pages) = maximum.or(Some(minimum)).filter(|pages| *pages > CEILING) {
        return Err(ConvertError::TooLarge { arena, pages, ceiling: CEILING });
    }
    Ok(Layout {
        spec: Spec::Local,
        state: state as u32,
        near_end: heap_base as u32,
        far_start: low as u32,
        far_end: state as u32,
        low: low as u32,
        high: heap_base as u32,
        heap_base: Some(heap_base as u32),
        minimum,
        maximum,
    })
}
