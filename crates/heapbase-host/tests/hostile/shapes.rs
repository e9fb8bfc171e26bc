//! Modules that are valid and out of all proportion: they load and run, or are refused, in bounded stack and time.

use crate::{Outcome, call, config};
use heapbase_host::{Cause, Engine, Error, Runtime};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    InstructionSink, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// A legacy module whose function 0 is the entry point `run`.
struct Shape {
    functions: Vec<Function>,
    globals: u32,
    exports: Vec<String>,
}

impl Shape {
    /// One function with locals and a body, which must leave an `i64`.
    fn of(locals: u32, body: impl FnOnce(&mut InstructionSink<'_>)) -> Self {
        let mut function = Function::new([(locals, ValType::I64)]);
        let mut sink = function.instructions();
        body(&mut sink);
        sink.end();
        Shape { functions: vec![function], globals: 0, exports: Vec::new() }
    }

    fn binary(&self) -> Vec<u8> {
        let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        types.ty().function([ValType::I32, ValType::I32], [ValType::I64]);
        for function in &self.functions {
            functions.function(0);
            code.function(function);
        }
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        let mut globals = GlobalSection::new();
        for value in 0..self.globals + 1 {
            let ty = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
            globals.global(ty, &ConstExpr::i32_const(1024 + value as i32));
        }
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        exports.export("__heap_base", ExportKind::Global, 0);
        exports.export("run", ExportKind::Func, 0);
        for name in &self.exports {
            exports.export(name, ExportKind::Func, 0);
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&memories)
            .section(&globals)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    /// Runs it on every engine: it returns nothing, which is what a correct answer is here, or it is refused.
    fn returns_or_is_refused(&self, what: &str) {
        let wasm = self.binary();
        for engine in Engine::ALL {
            match Runtime::new(&wasm, &config(engine)) {
                Ok(runtime) => {
                    let outcome = call(&runtime, b"input");
                    assert!(
                        matches!(&outcome, Outcome::Returned(bytes) if bytes.is_empty()),
                        "{engine}: {what}: {outcome:?}"
                    );
                }
                Err(Error::Invalid { .. } | Error::Engine { .. }) => {}
                Err(error) => panic!("{engine}: {what}: {error}"),
            }
        }
    }
}

#[test]
fn blocks_within_blocks() {
    for depth in [1_000, 20_000] {
        let shape = Shape::of(0, |sink| {
            for _ in 0..depth {
                sink.block(BlockType::Empty);
            }
            for _ in 0..depth {
                sink.end();
            }
            sink.i64_const(0);
        });
        shape.returns_or_is_refused(&format!("{depth} nested blocks"));
    }
}

#[test]
fn conditions_within_conditions() {
    let shape = Shape::of(0, |sink| {
        for _ in 0..3_000 {
            sink.local_get(0).if_(BlockType::Empty);
        }
        for _ in 0..3_000 {
            sink.end();
        }
        sink.i64_const(0);
    });
    shape.returns_or_is_refused("3,000 nested conditions");
}

#[test]
fn a_long_expression() {
    let shape = Shape::of(0, |sink| {
        for _ in 0..10_000 {
            sink.i64_const(0);
        }
        for _ in 1..10_000 {
            sink.i64_add();
        }
    });
    shape.returns_or_is_refused("a stack of 10,000 operands");
}

#[test]
fn a_jump_table() {
    let shape = Shape::of(0, |sink| {
        sink.block(BlockType::Empty).local_get(0).br_table(vec![0; 50_000], 0).end().i64_const(0);
    });
    shape.returns_or_is_refused("50,000 targets");
}

#[test]
fn many_functions_globals_and_exports() {
    let mut shape = Shape::of(0, |sink| {
        sink.i64_const(0);
    });
    let body = shape.functions[0].clone();
    shape.functions.resize(20_000, body);
    shape.globals = 50_000;
    shape.exports = (0..20_000).map(|number| format!("entry {number}")).collect();
    shape.exports.push("x".repeat(90_000));
    shape.returns_or_is_refused("20,000 functions, 50,000 globals, 20,000 exports");
}

#[test]
fn locals_by_the_thousand() {
    Shape::of(5_000, |sink| {
        sink.local_get(4_000);
    })
    .returns_or_is_refused("5,000 locals");
    // Wasm allows 50,000.
    Shape::of(60_000, |sink| {
        sink.local_get(4_000);
    })
    .returns_or_is_refused("60,000 locals");
}

#[test]
fn endless_recursion_with_large_frames() {
    let shape = Shape::of(2_000, |sink| {
        // Locals that are used after the call have to be kept in its frame.
        for at in 2..2_000 {
            sink.local_get(0).i64_extend_i32_u().i64_const(i64::from(at)).i64_mul().local_set(at);
        }
        sink.local_get(0).i32_const(1).i32_add().local_get(1).call(0);
        for at in 2..2_000 {
            sink.local_get(at).i64_xor();
        }
    });
    let wasm = shape.binary();
    for engine in Engine::ALL {
        let runtime = Runtime::new(&wasm, &config(engine)).unwrap_or_else(|error| panic!("{engine}: {error}"));
        match call(&runtime, b"input") {
            Outcome::Failed(error) => assert!(matches!(error.cause, Cause::Trap(_)), "{engine}: {error}"),
            outcome => panic!("{engine}: {outcome:?}"),
        }
    }
}
