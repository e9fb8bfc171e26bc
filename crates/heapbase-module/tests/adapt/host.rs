//! A node's side, small: the log, the panic handler, storage of one value, and the legacy heap or the exported one.

use wasmi::{Caller, Engine, Extern, ExternType, Instance, Linker, Memory, MemoryType, Module, Store, Val};

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) level: i32,
    pub(super) target: String,
    pub(super) message: String,
}

/// What the host knows.
#[derive(Default)]
struct State {
    memory: Option<Memory>,
    /// The first free address of the legacy heap.
    next: u32,
    lines: Vec<Line>,
    panic: Option<String>,
}

/// A runtime in a node.
pub(super) struct Node {
    store: Store<State>,
    instance: Instance,
    memory: Memory,
}

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) panic: Option<String>,
    pub(super) trap: String,
}

impl Node {
    pub(super) fn new(wasm: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, State::default());
        let mut linker = Linker::new(&engine);
        for import in module.imports() {
            let (from, name) = (import.module(), import.name().to_owned());
            match import.ty() {
                ExternType::Memory(ty) => {
                    // As a static heap strategy: no growing.
                    let pages = ty.minimum() as u32 + 32;
                    let memory = Memory::new(&mut store, MemoryType::new(pages, Some(pages))).unwrap();
                    linker.define(from, &name, memory).unwrap();
                    store.data_mut().memory = Some(memory);
                }
                ExternType::Func(ty) => {
                    let called = name.clone();
                    let function = move |caller: Caller<'_, State>, params: &[Val], results: &mut [Val]| {
                        host(caller, &called, params, results)
                    };
                    linker.func_new(from, &name, ty.clone(), function).unwrap();
                }
                other => panic!("{from}.{name}: {other:?}"),
            }
        }
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let memory = instance.get_memory(&store, "memory").or(store.data().memory).unwrap();
        let base = match instance.get_global(&store, "__heap_base").map(|base| base.get(&store)) {
            Some(Val::I32(base)) => base.cast_unsigned(),
            other => panic!("__heap_base: {other:?}"),
        };
        store.data_mut().memory = Some(memory);
        store.data_mut().next = base.next_multiple_of(8);
        Self { store, instance, memory }
    }

    fn alloc(&mut self, size: u32) -> u32 {
        match self.instance.get_typed_func::<u32, u32>(&self.store, "alloc") {
            Ok(alloc) => alloc.call(&mut self.store, size).unwrap(),
            Err(_) => {
                let block = self.store.data().next;
                self.store.data_mut().next = (block + size.max(1)).next_multiple_of(8);
                block
            }
        }
    }

    /// Calls an entry point.
    pub(super) fn call(&mut self, entry: &str, input: &[u8]) -> Result<Vec<u8>, Failure> {
        let address = self.alloc(input.len() as u32);
        self.memory.write(&mut self.store, address as usize, input).unwrap();
        self.call_at(entry, address, input.len() as u32)
    }

    pub(super) fn call_at(&mut self, entry: &str, address: u32, length: u32) -> Result<Vec<u8>, Failure> {
        let function = self.instance.get_typed_func::<(u32, u32), u64>(&self.store, entry).unwrap();
        match function.call(&mut self.store, (address, length)) {
            Ok(slice) => {
                let (start, length) = ((slice & 0xffff_ffff) as usize, (slice >> 32) as usize);
                Ok(self.memory.data(&self.store)[start..start + length].to_vec())
            }
            Err(error) => Err(Failure { panic: self.store.data_mut().panic.take(), trap: error.to_string() }),
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.store.data().lines
    }

    /// The messages of the log.
    pub(super) fn messages(&self) -> Vec<&str> {
        self.lines().iter().map(|line| line.message.as_str()).collect()
    }

    pub(super) fn has_export(&self, name: &str) -> bool {
        matches!(
            self.instance.get_export(&self.store, name),
            Some(Extern::Func(_) | Extern::Global(_) | Extern::Memory(_) | Extern::Table(_))
        )
    }

    pub(super) fn heap_base(&self) -> u32 {
        match self.instance.get_global(&self.store, "__heap_base").unwrap().get(&self.store) {
            Val::I32(base) => base.cast_unsigned(),
            other => panic!("{other:?}"),
        }
    }

    /// Whether all memory from an address on is zero.
    pub(super) fn is_untouched_from(&self, address: u32) -> bool {
        self.memory.data(&self.store)[address as usize..].iter().all(|byte| *byte == 0)
    }

    /// Calls the exported allocator.
    pub(super) fn allocate(&mut self, size: u32) -> u32 {
        self.alloc(size)
    }
}

fn host(mut caller: Caller<'_, State>, name: &str, params: &[Val], results: &mut [Val]) -> Result<(), wasmi::Error> {
    let text = |caller: &Caller<'_, State>, value: &Val| {
        let slice = value.i64().unwrap().cast_unsigned();
        let (start, length) = ((slice & 0xffff_ffff) as usize, (slice >> 32) as usize);
        let bytes = &caller.data().memory.unwrap().data(caller)[start..start + length];
        // Hosts insist on UTF-8.
        String::from_utf8(bytes.to_vec())
    };
    match name {
        "ext_logging_log_version_1" => {
            let target = text(&caller, &params[1]).unwrap();
            let message = text(&caller, &params[2]).unwrap_or_else(|error| panic!("{target}: {error}"));
            let level = params[0].i32().unwrap();
            caller.data_mut().lines.push(Line { level, target, message });
            Ok(())
        }
        "ext_panic_handler_abort_on_panic_version_1" => {
            let message = text(&caller, &params[0]).unwrap_or_else(|error| panic!("{error}"));
            caller.data_mut().panic = Some(message);
            Err(wasmi::Error::new("aborted on panic"))
        }
        "ext_allocator_malloc_version_1" => {
            let size = params[0].i32().unwrap().cast_unsigned();
            let block = caller.data().next;
            caller.data_mut().next = (block + size.max(1)).next_multiple_of(8);
            results[0] = Val::I32(block.cast_signed());
            Ok(())
        }
        "ext_allocator_free_version_1" => Ok(()),
        other => Err(wasmi::Error::new(format!("{other} was called"))),
    }
}

/// The names in the section `name`.
pub(super) fn function_names(wasm: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let wasmparser::Payload::CustomSection(section) = payload.unwrap() else { continue };
        let wasmparser::KnownCustom::Name(reader) = section.as_known() else { continue };
        for subsection in reader {
            let wasmparser::Name::Function(map) = subsection.unwrap() else { continue };
            names.extend(map.into_iter().map(|naming| naming.unwrap().name.to_owned()));
        }
    }
    names
}
