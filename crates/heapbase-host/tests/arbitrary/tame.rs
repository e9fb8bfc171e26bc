//! Makes arbitrary modules behave a little, so that they get further than their first host function.
//!
//! ```text
//! before                                   after
//! (func (export "alloc") …anything…)       memory.grow, and the new page
//! (global (export "__heap_base") anything) a small number
//! call $ext_storage_set_version_1          call $masked, which calls it with pointers below 64 KiB and short lengths
//! ```
//!
//! Indices of functions stay: the masking functions come after all others.

use wasm_encoder::{
    CodeSection, ConstExpr, Function, FunctionSection, GlobalSection, Instruction, Module, ValType,
    reencode::{Error, Reencode, RoundtripReencoder, utils},
};
use wasmparser::{
    CodeSectionReader, ExternalKind, FuncType, FunctionBody, FunctionSectionReader, Global, Parser, Payload, TypeRef,
};

/// What to tame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tame {
    /// The exported `alloc` keeps the rules.
    pub(crate) alloc: bool,
    /// The value of `__heap_base`.
    pub(crate) heap_base: Option<u32>,
    /// Host functions are called with pointers into the first page.
    pub(crate) pointers: bool,
}

/// Where the module has what is to be tamed.
#[derive(Default)]
struct Layout {
    /// Index and signature of the type of each imported function.
    imports: Vec<(u32, FuncType)>,
    defined: u32,
    alloc: Option<u32>,
    heap_base: Option<u32>,
}

impl Layout {
    fn read(wasm: &[u8]) -> Self {
        let mut layout = Layout::default();
        let mut types = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("wasm-smith writes valid modules") {
                Payload::TypeSection(section) => {
                    types = section.into_iter_err_on_gc_types().flatten().collect();
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports().flatten() {
                        if let TypeRef::Func(ty) = import.ty {
                            layout.imports.push((ty, types[ty as usize].clone()));
                        }
                    }
                }
                Payload::FunctionSection(section) => layout.defined = section.count(),
                Payload::ExportSection(section) => {
                    for export in section.into_iter().flatten() {
                        match (export.name, export.kind) {
                            ("alloc", ExternalKind::Func) => layout.alloc = Some(export.index),
                            ("__heap_base", ExternalKind::Global) => layout.heap_base = Some(export.index),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        layout
    }
}

struct Tamer {
    tame: Tame,
    layout: Layout,
    body: u32,
    global: u32,
}

impl Tamer {
    fn imported(&self) -> u32 {
        self.layout.imports.len() as u32
    }

    fn masks(&self) -> bool {
        self.tame.pointers && self.layout.defined > 0
    }
}

type Done = Result<(), Error<std::convert::Infallible>>;

impl Reencode for Tamer {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        let masked = self.masks() && function < self.imported();
        Ok(if masked { self.imported() + self.layout.defined + function } else { function })
    }

    fn parse_function_section(&mut self, functions: &mut FunctionSection, section: FunctionSectionReader<'_>) -> Done {
        utils::parse_function_section(self, functions, section)?;
        if self.masks() {
            self.layout.imports.iter().for_each(|(ty, _)| {
                functions.function(*ty);
            });
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Done {
        utils::parse_code_section(self, code, section)?;
        if self.masks() {
            for (index, (_, ty)) in self.layout.imports.iter().enumerate() {
                code.function(&masking(index as u32, ty));
            }
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Done {
        let index = self.imported() + self.body;
        self.body += 1;
        if self.tame.alloc && self.layout.alloc == Some(index) {
            code.function(&growing());
            return Ok(());
        }
        utils::parse_function_body(self, code, body)
    }

    fn parse_global(&mut self, globals: &mut GlobalSection, global: Global<'_>) -> Done {
        let index = self.global;
        self.global += 1;
        match self.tame.heap_base {
            Some(value) if self.layout.heap_base == Some(index) => {
                globals.global(RoundtripReencoder.global_type(global.ty)?, &ConstExpr::i32_const(value as i32));
                Ok(())
            }
            _ => utils::parse_global(self, globals, global),
        }
    }
}

/// `memory.grow((size >> 16) + 1) << 16`; a refusal becomes an address beyond memory.
fn growing() -> Function {
    let mut grow = Function::new([]);
    grow.instruction(&Instruction::LocalGet(0))
        .instruction(&Instruction::I32Const(16))
        .instruction(&Instruction::I32ShrU)
        .instruction(&Instruction::I32Const(1))
        .instruction(&Instruction::I32Add)
        .instruction(&Instruction::MemoryGrow(0))
        .instruction(&Instruction::I32Const(16))
        .instruction(&Instruction::I32Shl)
        .instruction(&Instruction::End);
    grow
}

/// Calls an import with each pointer below 64 KiB and each length below 256.
fn masking(import: u32, ty: &FuncType) -> Function {
    let mut masked = Function::new([]);
    for (at, param) in ty.params().iter().enumerate() {
        masked.instruction(&Instruction::LocalGet(at as u32));
        match RoundtripReencoder.val_type(*param) {
            Ok(ValType::I32) => masked.instruction(&Instruction::I32Const(0xffff)).instruction(&Instruction::I32And),
            Ok(ValType::I64) => {
                masked.instruction(&Instruction::I64Const(0xff_0000_ffff)).instruction(&Instruction::I64And)
            }
            _ => &mut masked,
        };
    }
    masked.instruction(&Instruction::Call(import)).instruction(&Instruction::End);
    masked
}

/// The module, tamed.
///
/// # Panics
///
/// It is not valid.
pub(crate) fn tamed(wasm: &[u8], tame: Tame) -> Vec<u8> {
    let mut module = Module::new();
    let mut tamer = Tamer { tame, layout: Layout::read(wasm), body: 0, global: 0 };
    tamer.parse_core_module(&mut module, Parser::new(0), wasm).expect("a valid module is written again");
    module.finish()
}
