//! What host functions see of a call.

use sp_wasm_interface::{Function, FunctionContext, Pointer, Result, Value, WordSize};

use crate::{
    error::Cause,
    heap::{self, Guest},
    session::{Origin, cut},
    state::deep,
};

/// Answers the host functions of `sp-io` from a guest, whoever owns its heap.
pub(crate) struct Context<G>(pub(crate) G);

impl<G: Guest> Context<G> {
    /// A cause that is more than its text is kept for the error of the call.
    fn fail<T>(&mut self, cause: Cause) -> Result<T> {
        let message = cause.to_string();
        self.0.session().fault.get_or_insert(cause);
        Err(message)
    }
}

impl<G: Guest> Context<G> {
    fn exchange(&mut self, bytes: usize) -> Result<()> {
        self.0.session().exchanged(bytes).or_else(|cause| self.fail(cause))
    }
}

impl<G: Guest> FunctionContext for Context<G> {
    fn read_memory_into(&mut self, address: Pointer<u8>, dest: &mut [u8]) -> Result<()> {
        self.exchange(dest.len())?;
        let (memory, _) = self.0.split();
        dest.copy_from_slice(slice(memory, address.into(), dest.len())?);
        Ok(())
    }

    fn read_memory(&mut self, address: Pointer<u8>, size: WordSize) -> Result<Vec<u8>> {
        self.exchange(size as usize)?;
        // Checked before anything of the size is allocated.
        let (memory, _) = self.0.split();
        Ok(slice(memory, address.into(), size as usize)?.to_vec())
    }

    fn write_memory(&mut self, address: Pointer<u8>, data: &[u8]) -> Result<()> {
        self.exchange(data.len())?;
        let (memory, _) = self.0.split();
        let size = memory.len();
        let start = u32::from(address) as usize;
        let target = start.checked_add(data.len()).and_then(|end| memory.get_mut(start..end));
        target.ok_or_else(|| outside(start, data.len(), size))?.copy_from_slice(data);
        Ok(())
    }

    fn allocate_memory(&mut self, size: WordSize) -> Result<Pointer<u8>> {
        match heap::allocate(&mut self.0, size, Origin::HostFunction) {
            Ok(address) => Ok(Pointer::new(address)),
            Err(cause) => self.fail(cause),
        }
    }

    fn deallocate_memory(&mut self, ptr: Pointer<u8>) -> Result<()> {
        heap::free(&mut self.0, ptr.into()).or_else(|cause| self.fail(cause))
    }

    fn register_panic_error_message(&mut self, message: &str) {
        self.0.session().panic_message = Some(cut(message.as_bytes()));
    }
}

/// The bytes that a guest names, checked against memory as it is now.
pub(crate) fn slice(memory: &[u8], address: u32, len: usize) -> Result<&[u8]> {
    let start = address as usize;
    start.checked_add(len).and_then(|end| memory.get(start..end)).ok_or_else(|| outside(start, len, memory.len()))
}

fn outside(start: usize, len: usize, memory: usize) -> String {
    format!("{len} bytes at {start:#x} do not lie inside of the {memory:#x} bytes of memory")
}

/// Calls a host function that computes a root and returns it in a buffer, on a deep stack.
///
/// Only the root is computed there. The buffer is allocated afterwards, on the stack that the runtime's code runs on: under
/// `v1` that calls `alloc`, whose engine takes another stack for an exhausted one.
pub(crate) fn root(
    function: &'static dyn Function,
    context: &mut dyn FunctionContext,
    args: &mut dyn Iterator<Item = Value>,
) -> Result<Option<Value>> {
    let mut deferred = Deferred { context, buffer: None };
    let answer = deep(|| function.execute(&mut deferred, args))?;
    let buffer = deferred.buffer.take();
    match (answer, buffer) {
        (Some(Value::I64(packed)), Some(buffer)) => {
            let address = context.allocate_memory(buffer.len() as WordSize)?;
            context.write_memory(address, &buffer)?;
            // The length is in the high half, the address in the low one.
            Ok(Some(Value::I64((packed & !0xffff_ffff) | i64::from(u32::from(address)))))
        }
        (answer, _) => Ok(answer),
    }
}

/// A context that keeps the returned buffer instead of allocating it.
struct Deferred<'a> {
    context: &'a mut dyn FunctionContext,
    buffer: Option<Vec<u8>>,
}

/// Where the buffer seems to lie while it is kept.
const KEPT: u32 = 8;

impl FunctionContext for Deferred<'_> {
    fn read_memory_into(&mut self, address: Pointer<u8>, dest: &mut [u8]) -> Result<()> {
        self.context.read_memory_into(address, dest)
    }

    fn read_memory(&mut self, address: Pointer<u8>, size: WordSize) -> Result<Vec<u8>> {
        self.context.read_memory(address, size)
    }

    fn write_memory(&mut self, address: Pointer<u8>, data: &[u8]) -> Result<()> {
        match &mut self.buffer {
            Some(buffer) if u32::from(address) == KEPT => {
                *buffer = data.to_vec();
                Ok(())
            }
            _ => self.context.write_memory(address, data),
        }
    }

    fn allocate_memory(&mut self, _size: WordSize) -> Result<Pointer<u8>> {
        self.buffer = Some(Vec::new());
        Ok(Pointer::new(KEPT))
    }

    fn deallocate_memory(&mut self, ptr: Pointer<u8>) -> Result<()> {
        self.context.deallocate_memory(ptr)
    }

    fn register_panic_error_message(&mut self, message: &str) {
        self.context.register_panic_error_message(message);
    }
}
