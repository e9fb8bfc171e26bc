//! Where things lie in a converted module's memory.

use super::{allocator::AllocatorModule, error::ConvertError, survey::Survey};
use crate::SectionKind;
use crate::spec::Spec;

/// Bytes of a WebAssembly page.
pub(super) const WASM_PAGE: u64 = 64 * 1024;
/// Bytes of a page of the machines that nodes run on.
const PAGE: u64 = 4096;
/// Alignment of the allocator's memory.
const ALIGN: u64 = 16;
/// The words of an arena, and then its near memory, come first behind the data.
const WORDS: u64 = 16;
/// Near memory has room for the blocks of a short call: `Core_version` of 40 runtimes asks for 90 to 815 bytes in all.
const NEAR: u64 = 1024;
/// What is left of the page for the host's first blocks, if there is so much: what it allocates on a short call.
const HOST_SHARE: u64 = 512;
/// Bytes that the host's allocator keeps in front of a block, and may lose aligning its heap.
const HEADER: u64 = 16;
/// The largest block that the legacy host gives, past which it traps; and with it the largest arena.
pub(super) const LARGEST: u32 = 32 * 1024 * 1024;
/// Pages of a 32-bit memory.
const CEILING: u64 = 65_536;

/// The layout of one conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The first byte that the conversion uses.
    pub(super) low: u32,
    pub(super) heap: Heap,
    /// The new `__heap_base`, under local.
    pub(super) heap_base: Option<u32>,
    pub(super) minimum: u64,
    pub(super) maximum: Option<u64>,
    /// Bytes in front of each block that are the runtime's to write to ([`front`](super::front)).
    pub(super) front: u32,
}

/// Where the allocator's memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heap {
    /// Under v1: from `low` on, with the allocator's state first; `end` is where it has to grow.
    Own { end: u32 },
    /// Under local.
    Arena(Arena),
}

/// Near memory behind the data, from which blocks are cut off one after the other, and the arena: one large block of the host's
/// that is fetched when it is needed, with the allocator's state at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arena {
    /// Address of the arena's [`Word`]s.
    pub(super) words: u32,
    pub(super) near_len: u32,
    /// Bytes of the large block, a power of two.
    pub(super) size: u32,
    /// No request for more bytes can be served from it.
    pub(super) most: u32,
}

/// What an arena keeps in memory, all of it 0 when a call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Address of the large block; before there is one, how many requests went to the host.
    Start = 0,
    /// Its length; 0 as long as there is none.
    Length = 4,
    /// Bytes of near memory in use.
    Used = 8,
    /// Address of the near memory's last block.
    Last = 12,
}

impl Arena {
    /// Address of a word.
    pub(super) const fn word(self, word: Word) -> u32 {
        self.words + word as u32
    }

    /// Where the near memory begins.
    pub(super) const fn near(self) -> u32 {
        self.words + WORDS as u32
    }
}

impl Layout {
    /// Lays a module out whose blocks have nothing in front of them. `arena` is in bytes and counts under local only.
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
        let state = u64::from(allocator.state_size).next_multiple_of(ALIGN);
        if spec == Spec::V1 { v1(memory, low, state) } else { local(memory, base, low, arena, state) }
    }
}

/// The state at the beginning of the heap, memory up to the end of the minimum, and growth.
fn v1(memory: wasmparser::MemoryType, low: u64, state: u64) -> Result<Layout, ConvertError> {
    /// Room for a few blocks.
    const LEAST: u64 = 256;
    /// Pages of heap to begin with: blocks and most metadata need no more, and growing takes the host a call to its system,
    /// there and back. What is not touched of them costs nothing.
    const HEAP: u64 = 16;
    let least = memory.initial.max((low + state + LEAST).div_ceil(WASM_PAGE));
    if least >= CEILING {
        return Err(ConvertError::unsupported(
            format!(
                "`__heap_base` or the memory's end leaves no room for a heap: it would need {least} pages of 64 KiB"
            ),
            SectionKind::Memory,
            "a 32-bit memory ends at 65536; build the runtime with fewer initial pages",
        ));
    }
    // The end of the last page has no address.
    let minimum = (least + HEAP).min(CEILING - 1);
    // Legacy hosts let their heap grow past a declared maximum, or drop it; now the heap is the module's, and hosts bound that.
    let maximum = None;
    let heap = Heap::Own { end: (minimum * WASM_PAGE) as u32 };
    Ok(Layout { low: low as u32, heap, heap_base: None, minimum, maximum, front: 0 })
}

/// Words and near memory in what is left of the data's last page, which the host's heap shares.
fn local(memory: wasmparser::MemoryType, base: u64, low: u64, arena: u32, state: u64) -> Result<Layout, ConvertError> {
    let least = state + PAGE;
    if u64::from(arena) < least {
        return Err(ConvertError::TooSmall { arena: arena.into(), least });
    }
    // The host rounds a block up to a power of two: what it takes, the arena may as well use.
    let arena = arena.min(LARGEST).next_power_of_two();
    let near_len = near(PAGE - low % PAGE);
    let heap_base = low + WORDS + near_len;
    // The host has as many bytes for its own blocks as before.
    let end = heap_base + HEADER + u64::from(arena);
    let added = (end - base).div_ceil(WASM_PAGE);
    // A heap base above the memory is where the host would have grown it to.
    let minimum = (memory.initial + added).max(heap_base.div_ceil(WASM_PAGE));
    let maximum = memory.maximum.map(|maximum| (maximum + added).min(CEILING).max(minimum));
    let pages = minimum.max(end.div_ceil(WASM_PAGE));
    if pages > CEILING {
        return Err(ConvertError::TooLarge { arena: arena.into(), pages, ceiling: CEILING });
    }
    let most = arena - state as u32;
    let heap = Heap::Arena(Arena { words: low as u32, near_len: near_len as u32, size: arena, most });
    Ok(Layout { low: low as u32, heap, heap_base: Some(heap_base as u32), minimum, maximum, front: 0 })
}

/// Bytes of near memory in a page of which `left` bytes are left, so that the host's heap begins in that page too.
fn near(left: u64) -> u64 {
    let left = left.saturating_sub(WORDS);
    let share = HOST_SHARE.min(left / 3);
    NEAR.min(left - share) & !(ALIGN - 1)
}
