//! sc-executor with an allocator that notes what it does.

use bench_host::contestants::peer::sc_executor;
use sc_executor::WasmExecutor;
use sp_wasm_interface::ExtendedHostFunctions;
use std::cell::RefCell;

/// What passed between a runtime and the allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapEvent {
    /// `size` bytes were asked for, and `address` was handed out.
    Allocated {
        /// Bytes asked for.
        size: u32,
        /// Where they are.
        address: u32,
    },
    /// The block at `address` was given back.
    Freed {
        /// Where it was.
        address: u32,
    },
}

thread_local! {
    static EVENTS: RefCell<Vec<HeapEvent>> = const { RefCell::new(Vec::new()) };
}

/// The node's executor with an allocator that notes what it does; [`recorded`] takes the notes.
pub fn recording_executor() -> WasmExecutor<RecordingHostFunctions> {
    sc_executor(None)
}

/// Takes what the recording executor noted on this thread since the last call.
pub fn recorded() -> Vec<HeapEvent> {
    EVENTS.take()
}

/// The host functions of a node, with `ext_allocator_malloc` and `ext_allocator_free` noting what they do.
pub type RecordingHostFunctions =
    ExtendedHostFunctions<sp_io::SubstrateHostFunctions, functions::allocator::HostFunctions>;

mod functions {
    //! The macro names the imports after the trait: it must be called `Allocator`.
    #![allow(missing_docs)]

    use super::{EVENTS, HeapEvent};
    use sp_runtime_interface::runtime_interface;
    use sp_wasm_interface::Pointer;

    #[runtime_interface(wasm_only)]
    pub trait Allocator {
        fn malloc(&mut self, size: u32) -> Pointer<u8> {
            let address = self.allocate_memory(size).expect("Failed to allocate memory");
            EVENTS.with_borrow_mut(|events| {
                events.push(HeapEvent::Allocated { size, address: address.into() });
            });
            address
        }

        fn free(&mut self, ptr: Pointer<u8>) {
            self.deallocate_memory(ptr).expect("Failed to deallocate memory");
            EVENTS.with_borrow_mut(|events| {
                events.push(HeapEvent::Freed { address: ptr.into() });
            });
        }
    }
}
