//! Merges the functions that stand in for a system into a module.
//!
//! They are written in WebAssembly text (`system/system.wat`), and embedded in binary form. Only what a module imports is merged,
//! with what that calls; their variables become globals behind the module's own, and their memory is a part that the
//! language never sees ([`heap`](super::heap)).

use super::error::{AdaptError, invalid};
use super::module::{Module, Origin};
use crate::splice::memory;
use std::collections::BTreeMap;
use wasm_encoder::{
    Instruction,
    reencode::{self, Reencode},
};
use wasmparser::Operator;

/// The functions.
const WASM: &[u8] = include_bytes!("system/system.wasm");

/// Bytes of the scratch memory.
pub(super) const SCRATCH: u32 = 0x4a00;

/// Most bytes of an environment.
const MOST_ENVIRONMENT: usize = 4096;

/// The module that constants come from.
const CONSTANTS: &str = "heapbase";

/// What the functions are told.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Address of the scratch memory.
    pub(super) scratch: u32,
    /// Where random numbers begin.
    pub(super) seed: u64,
    /// Pages of the arena.
    pub(super) arena: u32,
    /// `NAME=VALUE`, each with a zero behind it.
    pub(super) environment: Vec<u8>,
}

/// The text form of an environment.
pub(super) fn environment(variables: &[(String, String)]) -> Result<Vec<u8>, AdaptError> {
    let mut bytes = Vec::new();
    for (place, (name, value)) in variables.iter().enumerate() {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(AdaptError::Environment(format!(
                "the variable `{}` has no name, or holds what no environment can",
                name.escape_debug()
            )));
        }
        if variables[..place].iter().any(|(before, _)| before == name) {
            return Err(AdaptError::Environment(format!("the variable `{}` is set twice", name.escape_debug())));
        }
        bytes.extend(format!("{name}={value}\0").as_bytes());
        if bytes.len() > MOST_ENVIRONMENT {
            return Err(AdaptError::Environment(format!(
                "with `{}` the variables take {} bytes; {MOST_ENVIRONMENT} is the most",
                name.escape_debug(),
                bytes.len()
            )));
        }
    }
    Ok(bytes)
}

/// The system's functions, while some of them are merged.
pub(super) struct System {
    source: Module<'static>,
    settings: Settings,
    functions: BTreeMap<u32, u32>,
    globals: BTreeMap<u32, u32>,
    /// Whether a merged function uses the scratch memory.
    pub(super) uses_scratch: bool,
}

impl System {
    pub(super) fn new(settings: Settings) -> Result<Self, AdaptError> {
        Ok(Self {
            source: Module::read(WASM)?,
            settings,
            functions: BTreeMap::new(),
            globals: BTreeMap::new(),
            uses_scratch: false,
        })
    }

    /// The type of the function with this name.
    pub(super) fn ty(&self, name: &str) -> Option<&wasmparser::FuncType> {
        self.source.function_type(self.source.exported_function(name)?)
    }

    /// The index of the global with this name, where it was merged.
    pub(super) fn global(&self, name: &str) -> Option<u32> {
        self.globals.get(&self.source.export(name)?.index).copied()
    }

    /// The number of the function with this name, which is merged when it is first asked for.
    pub(super) fn merge(&mut self, name: &str, into: &mut Module<'_>) -> Result<u32, AdaptError> {
        let function = self.source.exported_function(name).ok_or_else(|| missing(name))?;
        self.function(function, into)
    }

    fn function(&mut self, function: u32, into: &mut Module<'_>) -> Result<u32, AdaptError> {
        if let Some(number) = self.functions.get(&function) {
            return Ok(*number);
        }
        let source = &self.source.functions[function as usize];
        let ty = self.source.types[source.ty as usize].clone();
        let range = match source.origin.clone() {
            Origin::Import(module, name) => {
                let number = match (&*module, &*name) {
                    (CONSTANTS, "environment") => {
                        let body = stores(&self.settings.environment);
                        into.add("heapbase::system::environment", &ty, Origin::Made(body))
                    }
                    _ => into.host_function(&name, &ty),
                };
                self.functions.insert(function, number);
                return Ok(number);
            }
            Origin::Own(range) => range,
            Origin::Made(_) | Origin::Gone => return Err(missing("function")),
        };
        let exported = self.source.exports.iter().find(|export| export.index == function && export.name.contains('.'));
        let name = source.name.as_deref().or(exported.map(|export| &*export.name)).unwrap_or("function");
        let number = into.add(format!("heapbase::system::{name}"), &ty, Origin::Gone);
        self.functions.insert(function, number);
        let parsed = self.source.body(&range);
        let locals = parsed.get_locals_reader().map_err(|error| invalid(&error))?;
        let locals: Vec<_> = locals.into_iter().collect::<Result<_, _>>().map_err(|error| invalid(&error))?;
        let mut merging = Merging { system: self, into };
        let locals = locals.into_iter().map(|(count, ty)| Ok((count, merging.val_type(ty).map_err(not_merged)?)));
        let mut body = wasm_encoder::Function::new(locals.collect::<Result<Vec<_>, AdaptError>>()?);
        let mut operators = parsed.get_operators_reader().map_err(|error| invalid(&error))?;
        while !operators.eof() {
            let operator = operators.read().map_err(|error| invalid(&error))?;
            body.instruction(&merging.instruction(operator).map_err(not_merged)?);
        }
        into.functions[number as usize].origin = Origin::Made(body.into_raw_body());
        Ok(number)
    }

    /// What takes the place of a call of a constant.
    fn constant(&mut self, name: &str) -> Result<Instruction<'static>, AdaptError> {
        let number = match name {
            "seed" => return Ok(Instruction::I64Const(self.settings.seed.cast_signed())),
            "scratch" => {
                self.uses_scratch = true;
                self.settings.scratch
            }
            "arena" => self.settings.arena,
            "environment_count" => self.settings.environment.iter().filter(|byte| **byte == 0).count() as u32,
            "environment_size" => self.settings.environment.len() as u32,
            _ => return Err(missing(name)),
        };
        Ok(Instruction::I32Const(number.cast_signed()))
    }
}

/// The body of a function that writes bytes to the address in its parameter.
fn stores(bytes: &[u8]) -> Vec<u8> {
    let mut body = wasm_encoder::Function::new([]);
    for (place, chunk) in bytes.chunks(8).enumerate() {
        let offset = 8 * place as u32;
        match chunk.try_into() {
            Ok(chunk) => {
                body.instruction(&Instruction::LocalGet(0));
                body.instruction(&Instruction::I64Const(i64::from_le_bytes(chunk)));
                body.instruction(&Instruction::I64Store(memory(offset, 0)));
            }
            Err(_) => chunk.iter().zip(offset..).for_each(|(byte, offset)| {
                body.instruction(&Instruction::LocalGet(0));
                body.instruction(&Instruction::I32Const((*byte).into()));
                body.instruction(&Instruction::I32Store8(memory(offset, 0)));
            }),
        }
    }
    body.instruction(&Instruction::End);
    body.into_raw_body()
}

/// One function on its way from one module to another.
struct Merging<'s, 'm, 'a> {
    system: &'s mut System,
    into: &'m mut Module<'a>,
}

impl Reencode for Merging<'_, '_, '_> {
    type Error = AdaptError;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<AdaptError>> {
        self.system.function(function, self.into).map_err(reencode::Error::UserError)
    }

    fn type_index(&mut self, ty: u32) -> Result<u32, reencode::Error<AdaptError>> {
        Ok(self.into.type_index(&self.system.source.types[ty as usize]))
    }

    fn global_index(&mut self, global: u32) -> Result<u32, reencode::Error<AdaptError>> {
        if let Some(index) = self.system.globals.get(&global) {
            return Ok(*index);
        }
        let index = self.into.globals.len() as u32;
        self.into.globals.push(self.system.source.globals[global as usize].clone());
        self.system.globals.insert(global, index);
        Ok(index)
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Result<Instruction<'a>, reencode::Error<AdaptError>> {
        if let Operator::Call { function_index } = operator
            && let Origin::Import(module, name) = &self.system.source.functions[function_index as usize].origin
            && module == CONSTANTS
            && name != "environment"
        {
            let name = name.clone();
            return self.system.constant(&name).map_err(reencode::Error::UserError);
        }
        reencode::utils::instruction(self, operator)
    }
}

fn missing(name: &str) -> AdaptError {
    AdaptError::Result { message: format!("the system has no `{name}`"), offset: 0 }
}

fn not_merged(error: reencode::Error<AdaptError>) -> AdaptError {
    match error {
        reencode::Error::UserError(error) => error,
        other => AdaptError::Result { message: other.to_string(), offset: 0 },
    }
}
