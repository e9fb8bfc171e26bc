//! The engines. They know WebAssembly, and through [`Guest`] what a call is; they know nothing of state.
//!
//! | | [`compiled`] | [`interpreted`] |
//! | --- | --- | --- |
//! | engine | wasmtime: machine code by Cranelift | wasmi: each function translated when first called |
//! | until the first call | seconds for a large runtime, milliseconds from the cache | milliseconds |
//! | host functions | registered statically | called through their dynamic form |
//! | memory | slots, copied on write | zeroed by the allocator |

pub(crate) mod cache;
pub(crate) mod compiled;
pub(crate) mod interpreted;
mod limit;
mod mapping;
mod pagemap;
mod slot;

use crate::{
    context,
    error::{CallError, Cause, Error, Frame, RefusedGrowth, Spec},
    heap::{self, Guest},
    session::{AllocationEvent, Origin, Session, Statistics},
    surface::{ENTRY, Surface},
};

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) entry: &'a str,
    pub(crate) input: &'a [u8],
    pub(crate) heap_pages: u32,
    pub(crate) record_allocations: bool,
    pub(crate) count_host_calls: bool,
}

/// What came of a call.
pub(crate) struct Answer {
    pub(crate) output: Result<Vec<u8>, Error>,
    pub(crate) statistics: Statistics,
    pub(crate) events: Vec<AllocationEvent>,
    /// Bytes of the system's pages that were written, where they are known.
    pub(crate) touched: Option<u64>,
}

impl Answer {
    /// Nothing was executed.
    fn refused(error: Error) -> Self {
        Answer { output: Err(error), statistics: Statistics::default(), events: Vec::new(), touched: None }
    }
}

/// A function that overrides the one of `sp-io`, because it touches the heap or the call's log.
pub(crate) const OVERRIDDEN: [&str; 4] =
    [crate::surface::MALLOC, crate::surface::FREE, "ext_logging_log_version_1", "ext_misc_print_utf8_version_1"];

/// Host functions that compute the root of a trie, which takes a deep stack.
pub(crate) const ROOTS: [&str; 4] = [
    "ext_storage_root_version_1",
    "ext_storage_root_version_2",
    "ext_default_child_storage_root_version_1",
    "ext_default_child_storage_root_version_2",
];

/// A module that an engine has loaded.
pub(crate) trait Engine: Send + Sync {
    /// Pages of heap to try first, where memory costs time whether it is used or not and the module cannot tell how much
    /// there is.
    ///
    /// wasmi clears all memory when it makes it, 128 MiB as a rule, which takes longer than most single calls. A call that
    /// succeeds on a small heap would have given the same on a large one: the module asks neither for the size of memory nor
    /// for more of it, no access was out of bounds, and no allocation failed. A call that fails has to be made again on all
    /// of the heap, on the state as it was.
    fn small_heap(&self) -> Option<u32> {
        None
    }

    /// Makes an instance with fresh memory and calls one of its entry points.
    fn call(&self, surface: &Surface, request: Request<'_>) -> Answer;
}

/// Pages of memory that a call may use in all, and how many of them are there from the start.
pub(crate) fn memory_pages(surface: &Surface, heap_pages: u32, limit: u32) -> Result<(u64, u64), Error> {
    let asked = surface.memory_min + u64::from(heap_pages);
    let (most, first) = match surface.spec {
        // As on a node: the declared maximum does not count, all of the heap is there at once and never grows.
        Spec::Legacy => (asked, asked),
        Spec::V1 => (asked.min(surface.memory_max.unwrap_or(u64::MAX)), surface.memory_min),
    };
    let limit = limit.min(65_536);
    if surface.spec == Spec::V1 && surface.memory_min <= limit.into() {
        return Ok((most.min(limit.into()), first));
    }
    if most > limit.into() { Err(Error::MemoryTooLarge { pages: most, limit }) } else { Ok((most, first)) }
}

/// The entry point exists and is of an entry point's type.
pub(crate) fn check_entry(surface: &Surface, entry: &str) -> Result<(), Error> {
    match surface.functions.get(entry) {
        Some(found) if found == ENTRY => Ok(()),
        Some(found) => Err(Error::NotAnEntry { name: entry.to_owned(), found: found.clone() }),
        None => {
            let wanted = entry.to_lowercase();
            let tail = wanted.rsplit('_').next().unwrap_or_default().to_owned();
            let similar = surface
                .functions
                .iter()
                .filter(|(name, ty)| *ty == ENTRY && name.to_lowercase().contains(&tail))
                .map(|(name, _)| name.clone())
                .take(3)
                .collect();
            Err(Error::NoEntry { name: entry.to_owned(), similar })
        }
    }
}

/// Where the runtime finds nothing, when its input is empty and it owns its heap: any address but 0, aligned.
const NOTHING: u32 = 8;

/// Puts the input where the entry point finds it: address and length.
pub(crate) fn write_input<G: Guest>(guest: &mut G, spec: Spec, input: &[u8]) -> Result<(u32, u32), Cause> {
    // The length was checked to fit 32 bits.
    let len = input.len() as u32;
    if input.is_empty() && spec == Spec::V1 {
        return Ok((NOTHING, 0));
    }
    let address = heap::allocate(guest, len, Origin::Input)?;
    let (memory, _) = guest.split();
    let start = address as usize;
    match memory.get_mut(start..start + input.len()) {
        Some(target) => target.copy_from_slice(input),
        None => {
            return Err(Cause::AllocatorFault { addr: address, size: len, rule: "a block outside of memory" });
        }
    }
    Ok((address, len))
}

/// Copies the result out: address and length are the low and high half of what the entry point returned.
pub(crate) fn read_output(memory: &[u8], packed: u64) -> Result<Vec<u8>, Cause> {
    let (ptr, len) = (packed as u32, (packed >> 32) as u32);
    context::slice(memory, ptr, len as usize).map(<[u8]>::to_vec).map_err(|_| Cause::OutputOutOfBounds {
        ptr,
        len,
        memory: memory.len() as u64,
    })
}

/// Everything that is known of a failed call.
pub(crate) fn call_error<A>(
    entry: &str,
    cause: Cause,
    host_function: Option<String>,
    backtrace: Vec<Frame>,
    refused_growth: Option<RefusedGrowth>,
    session: &mut Session<A>,
) -> Error {
    // Runtimes from before `ext_panic_handler_abort_on_panic` log their panic as an error of the target `runtime`.
    let panic_message = session.panic_message.take().or_else(|| {
        let last = session.log.back()?;
        let panicked = matches!(cause, Cause::Trap(_)) && last.level == log::Level::Error && last.target == "runtime";
        panicked.then(|| last.message.clone())
    });
    CallError {
        entry: entry.to_owned(),
        cause,
        panic_message,
        host_function,
        log: session.log.drain(..).collect(),
        backtrace,
        refused_growth,
        statistics: session.statistics.clone(),
    }
    .into()
}

/// What the host functions of `sp-io` say when they panic.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&'static str>().copied()).unwrap_or_default();
    format!("host code panicked while being called by the runtime: {message}")
}

/// The severity that a runtime means by a number.
pub(crate) fn log_level(level: u32) -> Option<log::Level> {
    Some(match level {
        0 => log::Level::Error,
        1 => log::Level::Warn,
        2 => log::Level::Info,
        3 => log::Level::Debug,
        4 => log::Level::Trace,
        _ => return None,
    })
}

/// `ext_logging_log_version_1`: to the call's log and to the process's.
pub(crate) fn host_log<G: Guest>(guest: &mut G, level: u32, target: u64, message: u64) -> Result<(), Cause> {
    let level = log_level(level)
        .ok_or_else(|| Cause::HostFunction(format!("{level} is not a level of severity, 0 to 4 are")))?;
    let (memory, session) = guest.split();
    let target = logged_text(memory, session, target)?;
    let message = logged_text(memory, session, message)?;
    let name = std::str::from_utf8(target)
        .map_err(|error| Cause::HostFunction(format!("the log's target is not UTF-8: {error}")))?;
    if let Ok(text) = std::str::from_utf8(message) {
        log::log!(target: name, level, "{text}");
    }
    session.logged(level, target, message);
    Ok(())
}

/// The bytes of a packed address and length, which count as exchanged: reading and writing a log takes time and space.
fn logged_text<'a, A>(memory: &'a [u8], session: &mut Session<A>, packed: u64) -> Result<&'a [u8], Cause> {
    let (address, len) = (packed as u32, (packed >> 32) as usize);
    session.exchanged(len)?;
    context::slice(memory, address, len).map_err(Cause::HostFunction)
}

/// `ext_misc_print_utf8_version_1`: as `sp-io`, at debug level.
pub(crate) fn host_print<G: Guest>(guest: &mut G, message: u64) -> Result<(), Cause> {
    let (memory, session) = guest.split();
    let message = logged_text(memory, session, message)?;
    if let Ok(text) = std::str::from_utf8(message) {
        log::debug!(target: "runtime", "{text}");
    }
    session.logged(log::Level::Debug, b"runtime", message);
    Ok(())
}
