//! The same as `machine`, on an engine of another kind: wasmi's last one with a stack. It is asked where wasmi 2 sees a difference. wasmi
//! 2.0.0 gives 0 for
//!
//! ```text
//! (func (param i32) (result i32) (local i32)
//!   (block (result i32) (block (br_if 0 (local.get 0)) (br 1 (i32.const 1))) (i32.const 2))
//!   drop
//!   i32.const 1  i32.const 0  local.tee 1  local.get 1  i32.eqz  select)
//! ```
//!
//! where 1 is right, and no difference may be blamed on a pass for such a reason.

use super::machine::{Call, F64, FUEL, I32, I64, Run, fnv};
use wasmi_stack::core::{Trap, TrapCode, ValueType};
use wasmi_stack::{Config, Engine, Error, Instance, Linker, Module, Store, Value};

/// A trap, as `machine` names it.
fn kind(trap: Option<&Trap>) -> (&'static str, bool) {
    match trap.and_then(Trap::trap_code) {
        Some(TrapCode::UnreachableCodeReached) => ("unreachable", false),
        Some(TrapCode::MemoryOutOfBounds) => ("memory", false),
        Some(TrapCode::TableOutOfBounds | TrapCode::IndirectCallToNull) => ("table", false),
        Some(TrapCode::IntegerDivisionByZero) => ("division", false),
        Some(TrapCode::IntegerOverflow) => ("overflow", false),
        Some(TrapCode::BadConversionToInteger) => ("conversion", false),
        Some(TrapCode::BadSignature) => ("signature", false),
        Some(_) => ("ran out", true),
        None => ("host", false),
    }
}

fn trap_of(error: &Error) -> (&'static str, bool) {
    match error {
        Error::Trap(trap) => kind(Some(trap)),
        // Segments that lie outside.
        Error::Memory(_) => ("memory", false),
        Error::Table(_) => ("table", false),
        _ => ("host", false),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::F32(value) => format!("f32 {:08x}", value.to_bits()),
        Value::F64(value) => format!("f64 {:016x}", value.to_bits()),
        Value::I32(value) => format!("i32 {value:08x}"),
        Value::I64(value) => format!("i64 {value:016x}"),
        _ => "a reference".to_owned(),
    }
}

fn argument(ty: ValueType, number: u64) -> Value {
    let place = (number % 8) as usize;
    match ty {
        ValueType::I32 => Value::I32(I32[place]),
        ValueType::I64 => Value::I64(I64[place]),
        ValueType::F32 => Value::F32((F64[place] as f32).into()),
        ValueType::F64 => Value::F64(F64[place].into()),
        other => Value::default(other),
    }
}

/// Calls every exported function, twice.
pub(crate) fn run(wasm: &[u8]) -> Result<Run, String> {
    let mut config = Config::default();
    config.consume_fuel(true).wasm_extended_const(true).wasm_tail_call(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
    let mut store = Store::new(&engine, ());
    store.add_fuel(FUEL).map_err(|error| error.to_string())?;
    let started = Linker::new(&engine).instantiate(&mut store, &module).and_then(|instance| instance.start(&mut store));
    let instance = match started {
        Ok(instance) => instance,
        Err(error) => return Ok(Run { instantiated: Some(trap_of(&error).0.to_owned()), calls: Vec::new() }),
    };
    let functions = module.exports().filter(|export| export.ty().func().is_some());
    Run::of(functions.map(|export| export.name().to_owned()), |name, number| call(&mut store, &instance, name, number))
}

fn call(store: &mut Store<()>, instance: &Instance, name: &str, number: u64) -> Result<Call, String> {
    let function = instance.get_func(&*store, name).ok_or("no function")?;
    let ty = function.ty(&*store);
    let params: Vec<Value> =
        ty.params().iter().enumerate().map(|(place, ty)| argument(*ty, number + place as u64 * 5)).collect();
    let mut results: Vec<Value> = ty.results().iter().map(|ty| Value::default(*ty)).collect();
    let (trap, ran_out) = match function.call(&mut *store, &params, &mut results) {
        Ok(()) => (None, false),
        Err(error) => {
            let (trap, ran_out) = trap_of(&error);
            (Some(trap), ran_out)
        }
    };
    let memory = instance.exports(&*store).find_map(|export| export.into_memory());
    let memory = memory.map(|memory| (fnv(memory.data(&*store)), u64::from(u32::from(memory.current_pages(&*store)))));
    let mut globals: Vec<String> = instance
        .exports(&*store)
        .filter_map(|export| Some((export.name().to_owned(), export.into_global()?)))
        .map(|(name, global)| format!("{name} {}", shown(&global.get(&*store))))
        .collect();
    globals.sort();
    let results = if trap.is_none() { results.iter().map(shown).collect() } else { Vec::new() };
    Ok(Call { name: name.to_owned(), results, trap, ran_out, memory, globals })
}
