//! The state of one call: who owns the heap, what the runtime said, what it used.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    error::{Cause, LogLine},
    heap::Heap,
};

/// Lines of the runtime's log that an error carries.
const LOG_LINES: usize = 32;

/// Bytes that are kept of one such line, and of a panic's message.
const TEXT_BYTES: usize = 16_384;

/// As much of a runtime's text as is kept.
pub(crate) fn cut(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(TEXT_BYTES)]).into_owned()
}

/// What a call used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Pages of memory (64 KiB each), from address 0 to the highest that was in use: under the legacy spec the end of what
    /// the host's allocator had handed out, under `v1` the size to which the runtime had grown its memory.
    pub peak_pages: u32,
    /// Blocks that the host's allocator handed out: the input, buffers that host functions returned, and what the runtime
    /// asked for. 0 under `v1`.
    pub host_allocations: u64,
    /// Bytes asked of the host's allocator.
    pub host_bytes_asked: u64,
    /// Bytes that the host's allocator gave for them: headers and rounding included.
    pub host_bytes_given: u64,
    /// The most bytes that the host's allocator had given out at one time, headers and rounding included.
    pub host_bytes_peak: u64,
    /// Calls of the runtime's own `alloc` by the host. 0 under the legacy spec.
    pub guest_allocations: u64,
    /// Calls of each host function, where [`Call::count_host_calls`](crate::Call::count_host_calls) asked for them.
    pub host_calls: BTreeMap<String, u64>,
}

/// Who asked for a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The runtime, by `ext_allocator_malloc_version_1`.
    Runtime,
    /// A host function that returns a buffer.
    HostFunction,
    /// The host, for the entry point's input.
    Input,
}

/// One step of the allocator, as [`Call::record_allocations`](crate::Call::record_allocations) records them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllocationEvent {
    /// A block was handed out.
    Allocated {
        /// Who asked for it.
        origin: Origin,
        /// Bytes asked for.
        size: u32,
        /// Its address.
        address: u32,
    },
    /// The runtime gave a block back, by `ext_allocator_free_version_1`.
    Freed {
        /// Its address.
        address: u32,
    },
}

/// The state of a call; `A` is the engine's handle of the exported `alloc`.
pub(crate) struct Session<A> {
    pub(crate) heap: Heap<A>,
    /// The host is inside of the runtime's `alloc`.
    pub(crate) allocating: bool,
    /// Why the call is about to end, where a trap alone would not say it.
    pub(crate) fault: Option<Cause>,
    pub(crate) panic_message: Option<String>,
    pub(crate) log: VecDeque<LogLine>,
    pub(crate) statistics: Statistics,
    pub(crate) events: Option<Vec<AllocationEvent>>,
    /// Calls by index of the import, where they are counted.
    pub(crate) host_calls: Option<Vec<u64>>,
    /// Bytes that the call may still exchange with host functions.
    pub(crate) exchange: u64,
    /// The import whose function failed, where the engine knows it.
    pub(crate) failed_import: Option<usize>,
}

impl<A> Session<A> {
    pub(crate) fn new(exchange: u64) -> Self {
        Session {
            heap: Heap::Unborn,
            allocating: false,
            fault: None,
            panic_message: None,
            log: VecDeque::new(),
            statistics: Statistics::default(),
            events: None,
            host_calls: None,
            exchange,
            failed_import: None,
        }
    }

    /// Counts bytes that the runtime and a host function exchange.
    pub(crate) fn exchanged(&mut self, bytes: usize) -> Result<(), Cause> {
        match self.exchange.checked_sub(bytes as u64) {
            Some(left) => {
                self.exchange = left;
                Ok(())
            }
            None => Err(Cause::TooManyBytes),
        }
    }

    /// Remembers a line of the runtime's log.
    pub(crate) fn logged(&mut self, level: log::Level, target: &[u8], message: &[u8]) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { level, target: cut(target), message: cut(message) });
    }

    /// Completes the statistics at the end of a call. `heap_base` and `memory` are addresses in bytes.
    pub(crate) fn finish(&mut self, heap_base: Option<u32>, memory: u64) -> u64 {
        let used = match &self.heap {
            Heap::Host(allocator) => {
                let stats = allocator.stats();
                self.statistics.host_bytes_given = u64::try_from(stats.bytes_allocated_sum).unwrap_or(u64::MAX);
                self.statistics.host_bytes_peak = stats.bytes_allocated_peak.into();
                // The allocator aligns its base up to 8.
                u64::from(heap_base.unwrap_or(0)).next_multiple_of(8) + u64::from(stats.address_space_used)
            }
            Heap::Guest(_) | Heap::Unborn => memory,
        };
        self.statistics.peak_pages = used.div_ceil(crate::WASM_PAGE) as u32;
        used
    }
}
