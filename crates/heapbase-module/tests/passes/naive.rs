//! Canonical NaNs the plain way: behind every instruction that may compute one. What the pass leaves alone is compared with this.

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{Function, Ieee32, Ieee64, Instruction, ValType};
use wasmparser::{FunctionBody, Operator};

/// Makes all NaNs canonical.
pub(crate) fn canonicalise(wasm: &[u8]) -> Vec<u8> {
    let mut out = wasm_encoder::Module::new();
    let mut naive = Naive { params: Vec::new(), types: Vec::new(), next: 0 };
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        match payload.expect("a module") {
            wasmparser::Payload::TypeSection(section) => naive
                .types
                .extend(section.into_iter_err_on_gc_types().map(|ty| ty.expect("a function").params().len() as u32)),
            wasmparser::Payload::FunctionSection(section) => {
                naive.params.extend(section.into_iter().map(|ty| naive.types[ty.expect("readable") as usize]))
            }
            _ => {}
        }
    }
    naive.parse_core_module(&mut out, wasmparser::Parser::new(0), wasm).expect("it is only written again");
    out.finish()
}

struct Naive {
    /// Parameters of each function, and of each type.
    params: Vec<u32>,
    types: Vec<u32>,
    next: usize,
}

impl Reencode for Naive {
    type Error = std::convert::Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        let mut locals = Vec::new();
        let mut count = self.params[self.next];
        self.next += 1;
        for local in body.get_locals_reader()? {
            let (many, ty) = local?;
            count += many;
            locals.push((many, self.val_type(ty)?));
        }
        locals.extend([(1, ValType::F32), (1, ValType::F64)]);
        let mut function = Function::new(locals);
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let result = result(&operator);
            function.instruction(&self.instruction(operator)?);
            let (local, nan, equal) = match result {
                None => continue,
                Some(ValType::F32) => (count, Instruction::F32Const(Ieee32::new(0x7fc0_0000)), Instruction::F32Eq),
                Some(_) => (count + 1, Instruction::F64Const(Ieee64::new(0x7ff8_0000_0000_0000)), Instruction::F64Eq),
            };
            let (tee, get) = (Instruction::LocalTee(local), Instruction::LocalGet(local));
            for instruction in [&tee, &nan, &get, &get, &equal, &Instruction::Select] {
                function.instruction(instruction);
            }
        }
        code.function(&function);
        Ok(())
    }
}

/// What an instruction gives whose NaN is not determined.
fn result(operator: &Operator<'_>) -> Option<ValType> {
    let name = format!("{operator:?}");
    let computes = ["Add", "Sub", "Mul", "Div", "Min", "Max", "Sqrt", "Ceil", "Floor", "Trunc", "Nearest"];
    let (ty, rest) = match (name.strip_prefix("F32"), name.strip_prefix("F64")) {
        (Some(rest), _) => (ValType::F32, rest),
        (_, Some(rest)) => (ValType::F64, rest),
        _ => return None,
    };
    (computes.contains(&rest) || ["DemoteF64", "PromoteF32"].contains(&rest)).then_some(ty)
}
