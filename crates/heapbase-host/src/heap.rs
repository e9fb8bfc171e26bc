//! Who owns the heap: one type, held for the life of an instance.
//!
//! ```text
//!                 entry point's input ──┐
//!  buffers that host functions return ──┤            ┌─ Heap::Host   the legacy freeing-bump allocator, above __heap_base
//!      ext_allocator_malloc / free  ────┴─ allocate ─┤
//!                                                    └─ Heap::Guest  the runtime's own `alloc`, called re-entrantly
//! ```
//!
//! Nothing else in this crate knows where a buffer comes from. The memory view is fetched anew for every access, so an
//! `alloc` that grows the memory invalidates nothing.

use sc_allocator::FreeingBumpHeapAllocator;

use crate::{
    error::Cause,
    session::{AllocationEvent, Origin, Session},
};

/// The owner of the heap; `A` is the engine's handle of the exported `alloc`.
#[expect(clippy::large_enum_variant, reason = "there is one for each call, and it stays where it is made")]
pub(crate) enum Heap<A> {
    /// The host allocates.
    Host(FreeingBumpHeapAllocator),
    /// The runtime allocates, by this function.
    Guest(A),
    /// There is no heap yet: the instance is being made.
    Unborn,
}

/// What the host needs of an engine while a call is under way.
pub(crate) trait Guest {
    /// Handle of the exported `alloc`.
    type Alloc: Clone;

    /// The memory as it is now, and the state of the call.
    fn split(&mut self) -> (&mut [u8], &mut Session<Self::Alloc>);

    /// Calls the runtime's `alloc`.
    fn call_alloc(&mut self, alloc: &Self::Alloc, size: u32) -> Result<u32, Cause>;

    /// The state of the call.
    fn session(&mut self) -> &mut Session<Self::Alloc> {
        self.split().1
    }
}

/// The legacy heap, from the module's `__heap_base` up.
pub(crate) fn legacy<A>(heap_base: u32) -> Result<Heap<A>, Cause> {
    // The allocator aligns its base up to 8 and does not expect that to overflow.
    if heap_base > u32::MAX - 7 {
        return Err(Cause::LegacyAllocator(format!("`__heap_base` is {heap_base:#x}: no heap fits above it")));
    }
    Ok(Heap::Host(FreeingBumpHeapAllocator::new(heap_base)))
}

/// Addresses that the runtime's allocator hands out are multiples of this.
const ALIGNMENT: u32 = 8;

/// Allocates `size` bytes from whichever side owns the heap.
pub(crate) fn allocate<G: Guest>(guest: &mut G, size: u32, origin: Origin) -> Result<u32, Cause> {
    let (memory, session) = guest.split();
    let address = match &mut session.heap {
        Heap::Host(allocator) => {
            let address = guarded(|| allocator.allocate(&mut View(memory), size)).map_err(|error| match error {
                sc_allocator::Error::AllocatorOutOfSpace | sc_allocator::Error::RequestedAllocationTooLarge => {
                    Cause::OutOfMemory { requested: size }
                }
                other => Cause::LegacyAllocator(other.to_string()),
            })?;
            session.statistics.host_allocations += 1;
            session.statistics.host_bytes_asked += u64::from(size);
            u32::from(address)
        }
        Heap::Guest(_) if session.allocating => return Err(Cause::AllocatorReentered),
        Heap::Guest(alloc) => {
            let alloc = alloc.clone();
            session.allocating = true;
            let result = guest.call_alloc(&alloc, size);
            let (memory, session) = guest.split();
            session.allocating = false;
            // A fault inside of `alloc`, re-entry above all, explains the trap that followed it.
            let address = match (result, session.fault.take()) {
                (Ok(address), None) => address,
                (_, Some(fault)) => return Err(fault),
                (Err(cause), None) => return Err(cause),
            };
            check_block(address, size, memory.len() as u64)?;
            session.statistics.guest_allocations += 1;
            address
        }
        Heap::Unborn => {
            return Err(Cause::HostFunction("a buffer is needed before the instance has its heap".to_owned()));
        }
    };
    let session = guest.session();
    if let Some(events) = &mut session.events {
        events.push(AllocationEvent::Allocated { origin, size, address });
    }
    Ok(address)
}

/// Gives a block back: a request of the runtime, possible under the legacy spec only.
pub(crate) fn free<G: Guest>(guest: &mut G, address: u32) -> Result<(), Cause> {
    let (memory, session) = guest.split();
    if let Some(events) = &mut session.events {
        events.push(AllocationEvent::Freed { address });
    }
    match &mut session.heap {
        Heap::Host(allocator) => guarded(|| allocator.deallocate(&mut View(memory), address.into()))
            .map_err(|error| Cause::LegacyAllocator(format!("freeing {address:#x}: {error}"))),
        // The runtime owns what it was given; the host has nothing to take back.
        Heap::Guest(_) => Ok(()),
        Heap::Unborn => Err(Cause::HostFunction("a buffer is freed before the instance has its heap".to_owned())),
    }
}

/// Runs the legacy allocator. It counts in 32 bits what a runtime can make it hand out over and over again, which panics
/// where arithmetic is checked. That must end the call, and neither the caller nor the process.
fn guarded<R>(run: impl FnOnce() -> Result<R, sc_allocator::Error>) -> Result<R, sc_allocator::Error> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
        .unwrap_or(Err(sc_allocator::Error::Other("its bookkeeping overflowed: the heap is corrupted")))
}

fn check_block(addr: u32, size: u32, memory: u64) -> Result<(), Cause> {
    let fault = |rule| Err(Cause::AllocatorFault { addr, size, rule });
    if addr == 0 {
        Err(Cause::OutOfMemory { requested: size })
    } else if u64::from(addr) + u64::from(size) > memory {
        fault("a block that does not lie inside of memory")
    } else if !addr.is_multiple_of(ALIGNMENT) {
        fault("an address that is not a multiple of 8")
    } else {
        Ok(())
    }
}

/// The memory as the legacy allocator sees it. On nodes it never grows once a call has begun, nor does it here.
struct View<'a>(&'a mut [u8]);

impl sc_allocator::Memory for View<'_> {
    fn with_access_mut<R>(&mut self, run: impl FnOnce(&mut [u8]) -> R) -> R {
        run(self.0)
    }

    fn with_access<R>(&self, run: impl FnOnce(&[u8]) -> R) -> R {
        run(self.0)
    }

    fn grow(&mut self, _additional: u32) -> Result<(), ()> {
        Err(())
    }

    fn pages(&self) -> u32 {
        (self.0.len() as u64 / crate::WASM_PAGE) as u32
    }

    fn max_pages(&self) -> Option<u32> {
        Some(self.pages())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_checked_against_memory_as_it_is() {
        assert_eq!(check_block(0, 1, 65_536), Err(Cause::OutOfMemory { requested: 1 }));
        assert_eq!(check_block(65_528, 8, 65_536), Ok(()));
        assert!(matches!(check_block(65_528, 9, 65_536), Err(Cause::AllocatorFault { .. })));
        assert!(matches!(check_block(12, 1, 65_536), Err(Cause::AllocatorFault { rule, .. }) if rule.contains("8")));
        assert!(matches!(check_block(u32::MAX - 7, 16, 1 << 32), Err(Cause::AllocatorFault { .. })));
        assert_eq!(check_block(u32::MAX - 7, 8, 1 << 32), Ok(()));
    }
}
