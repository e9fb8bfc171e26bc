//! Runs a module, and says what can be seen of it.

use wasmi::{Config, Engine, Error, Instance, Linker, Module, Store, TrapCode, Val, ValType};

/// What a module did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The trap of its start, if any.
    pub(crate) instantiated: Option<String>,
    pub(crate) calls: Vec<Call>,
}

impl Run {
    /// Calls every function, twice, until the engine's limits end one. `call` gets a number besides the name, for the arguments.
    pub(crate) fn of(
        functions: impl Iterator<Item = String>,
        mut call: impl FnMut(&str, u64) -> Result<Call, String>,
    ) -> Result<Self, String> {
        let mut names: Vec<String> = functions.collect();
        names.sort_unstable();
        let mut run = Self { instantiated: None, calls: Vec::new() };
        for round in 0..2 {
            for (place, name) in names.iter().enumerate() {
                let call = call(name, round * 3 + place as u64)?;
                let over = call.ran_out;
                run.calls.push(call);
                if over {
                    return Ok(run);
                }
            }
        }
        Ok(run)
    }
}

/// What a call did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) results: Vec<String>,
    /// The kind of trap.
    pub(crate) trap: Option<&'static str>,
    /// Whether the engine's own limits ended it.
    pub(crate) ran_out: bool,
    /// A hash of memory and its size, and exported globals.
    pub(crate) memory: Option<(u64, u64)>,
    pub(crate) globals: Vec<String>,
}

/// Instructions that a run may execute, about: enough that modules which end by themselves do so.
pub(crate) const FUEL: u64 = 40_000_000;

/// A trap, as far as passes keep it.
fn kind(error: &Error) -> (&'static str, bool) {
    match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => ("unreachable", false),
        Some(TrapCode::MemoryOutOfBounds) => ("memory", false),
        // A shifted table has no empty places where it had some.
        Some(TrapCode::TableOutOfBounds | TrapCode::IndirectCallToNull) => ("table", false),
        Some(TrapCode::IntegerDivisionByZero) => ("division", false),
        Some(TrapCode::IntegerOverflow) => ("overflow", false),
        Some(TrapCode::BadConversionToInteger) => ("conversion", false),
        Some(TrapCode::BadSignature) => ("signature", false),
        Some(
            TrapCode::StackOverflow
            | TrapCode::OutOfFuel
            | TrapCode::GrowthOperationLimited
            | TrapCode::OutOfSystemMemory,
        ) => ("ran out", true),
        None => ("host", false),
    }
}

fn shown(value: &Val) -> String {
    match value {
        Val::F32(value) => format!("f32 {:08x}", value.to_bits()),
        Val::F64(value) => format!("f64 {:016x}", value.to_bits()),
        Val::I32(value) => format!("i32 {value:08x}"),
        Val::I64(value) => format!("i64 {value:016x}"),
        // Which function it is, an engine does not say.
        _ => "a reference".to_owned(),
    }
}

/// Arguments of the types there are, not the same every time: by `number`.
pub(crate) const I32: [i32; 8] = [0, 1, -1, 65_535, i32::MIN, 7, 1 << 16, 100];
pub(crate) const I64: [i64; 8] = [0, -1, 1 << 40, i64::MIN, 3, 255, i64::MAX, 12];
pub(crate) const F64: [f64; 8] = [0.0, -1.5, f64::NAN, 3e9, -3e19, f64::INFINITY, 1e-300, 4_294_967_295.5];

fn argument(ty: ValType, number: u64) -> Val {
    let place = (number % 8) as usize;
    match ty {
        ValType::I32 => Val::I32(I32[place]),
        ValType::I64 => Val::I64(I64[place]),
        ValType::F32 => Val::F32((F64[place] as f32).into()),
        ValType::F64 => Val::F64(F64[place].into()),
        other => Val::default_for_ty(other),
    }
}

pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Calls every exported function, twice. `Err` says why it cannot be run at all, or does not end.
pub(crate) fn run(wasm: &[u8]) -> Result<Run, String> {
    let mut config = Config::default();
    config.consume_fuel(true).wasm_extended_const(true).wasm_tail_call(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(FUEL).map_err(|error| error.to_string())?;
    let instance = match Linker::new(&engine).instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            let (trap, ran_out) = kind(&error);
            if ran_out {
                return Err("the start does not end".to_owned());
            }
            return Ok(Run { instantiated: Some(trap.to_owned()), calls: Vec::new() });
        }
    };
    let functions = module.exports().filter(|export| export.ty().func().is_some());
    Run::of(functions.map(|export| export.name().to_owned()), |name, number| call(&mut store, &instance, name, number))
}

fn call(store: &mut Store<()>, instance: &Instance, name: &str, number: u64) -> Result<Call, String> {
    let function = instance.get_func(&*store, name).ok_or("no function")?;
    let ty = function.ty(&*store);
    let params: Vec<Val> =
        ty.params().iter().enumerate().map(|(place, ty)| argument(*ty, number + place as u64 * 5)).collect();
    let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
    let outcome = function.call(&mut *store, &params, &mut results);
    let (trap, ran_out) = match &outcome {
        Ok(()) => (None, false),
        Err(error) => {
            let (trap, ran_out) = kind(error);
            (Some(trap), ran_out)
        }
    };
    let memory = instance.exports(&*store).find_map(|export| export.into_memory());
    let memory = memory.map(|memory| (fnv(memory.data(&*store)), memory.size(&*store)));
    let mut globals: Vec<String> = instance
        .exports(&*store)
        .filter_map(|export| Some((export.name().to_owned(), export.into_global()?)))
        .map(|(name, global)| format!("{name} {}", shown(&global.get(&*store))))
        .collect();
    globals.sort();
    let results = if trap.is_none() { results.iter().map(shown).collect() } else { Vec::new() };
    Ok(Call { name: name.to_owned(), results, trap, ran_out, memory, globals })
}
