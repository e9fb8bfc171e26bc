//! Answers inside the module what it asks of a system.
//!
//! Before:
//!
//! ```wat
//! (module
//!   (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
//!   (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
//!   (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
//!   (func $die unreachable))
//! ```
//!
//! After:
//!
//! ```wat
//! (module
//!   (import "env" "ext_logging_log_version_1" (func $log (param i32 i64 i64)))
//!   (import "env" "ext_panic_handler_abort_on_panic_version_1" (func $panic (param i64)))
//!   (func $die call $abort unreachable)
//!   (func $fd_write (param i32 i32 i32 i32) (result i32) …)     ;; a log line for each line; what goes to 2 is kept
//!   (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) i32.const 8)
//!   (func $proc_exit (param i32) …)                             ;; a log line, and then $abort
//!   (func $abort …))                                            ;; hands what was kept to the panic handler
//! ```
//!
//! A toolchain's code for a failure that nobody catches writes to standard error and then executes `unreachable`, or leaves with a
//! status. Every `unreachable` is led through `$abort`: that needs no names, and costs nothing where no failure is. What
//! traps otherwise (a division by zero, a stack that overflows) says no more than it did. Where nothing was written, and
//! `memory.grow` was refused before ([`heap`](super::heap)), the message says that memory is out: AssemblyScript and allocators in C
//! end without a word then.
//!
//! Answers depend on the calls made and on nothing else:
//!
//! | function | answer |
//! | --- | --- |
//! | `fd_write` to 1 and 2 | log lines with the targets `runtime::stdout` (info) and `runtime::stderr` (warn; debug from a failure's message on) |
//! | `proc_exit` | a log line, a message for the panic handler, a trap |
//! | `clock_time_get` | a second after the epoch, for ever; sleeping (`poll_oneoff`) puts it forward |
//! | `random_get` | numbers from the seed of the adaptation, the same in every call |
//! | `environ_get` | what the adaptation was told; `args_get`: nothing |
//! | `fd_read` of 0 | the end; `fd_fdstat_get`, `fd_filestat_get` of 0 to 2: a terminal; `sched_yield`: nothing |
//! | everything else | an error: no such descriptor (8), or not supported (52) |
//!
//! AssemblyScript's `abort`, `trace`, `seed`, `console.log`, `Date.now` and the like are answered in the same way. What is neither of
//! those nor a runtime host function is refused.

use super::error::AdaptError;
use super::module::{ENV, Module, Origin};
use super::system::{Settings, System};
use wasm_encoder::Instruction as I;
use wasmparser::{FuncType, Operator, ValType};

/// The module of WASI preview 1.
const WASI: &str = "wasi_snapshot_preview1";

/// Its functions whose only answer is an error: name, parameters (`i` and `I` for 32 and 64 bits), error. All have one result.
const REFUSING: [(&str, &str, i32); 26] = [
    ("fd_advise", "iIIi", BAD_DESCRIPTOR),
    ("fd_allocate", "iII", BAD_DESCRIPTOR),
    ("fd_fdstat_set_rights", "iII", BAD_DESCRIPTOR),
    ("fd_filestat_set_size", "iI", BAD_DESCRIPTOR),
    ("fd_filestat_set_times", "iIIi", BAD_DESCRIPTOR),
    ("fd_pread", "iiiIi", BAD_DESCRIPTOR),
    ("fd_prestat_get", "ii", BAD_DESCRIPTOR),
    ("fd_prestat_dir_name", "iii", BAD_DESCRIPTOR),
    ("fd_pwrite", "iiiIi", BAD_DESCRIPTOR),
    ("fd_readdir", "iiiIi", BAD_DESCRIPTOR),
    ("fd_renumber", "ii", BAD_DESCRIPTOR),
    ("path_create_directory", "iii", BAD_DESCRIPTOR),
    ("path_filestat_get", "iiiii", BAD_DESCRIPTOR),
    ("path_filestat_set_times", "iiiiIIi", BAD_DESCRIPTOR),
    ("path_link", "iiiiiii", BAD_DESCRIPTOR),
    ("path_open", "iiiiiIIii", BAD_DESCRIPTOR),
    ("path_readlink", "iiiiii", BAD_DESCRIPTOR),
    ("path_remove_directory", "iii", BAD_DESCRIPTOR),
    ("path_rename", "iiiiii", BAD_DESCRIPTOR),
    ("path_symlink", "iiiii", BAD_DESCRIPTOR),
    ("path_unlink_file", "iii", BAD_DESCRIPTOR),
    ("proc_raise", "i", NOT_SUPPORTED),
    ("sock_accept", "iii", BAD_DESCRIPTOR),
    ("sock_recv", "iiiiii", BAD_DESCRIPTOR),
    ("sock_send", "iiiii", BAD_DESCRIPTOR),
    ("sock_shutdown", "ii", BAD_DESCRIPTOR),
];

const BAD_DESCRIPTOR: i32 = 8;
const NOT_SUPPORTED: i32 = 52;

/// What became of the imports.
#[derive(Clone, Debug, Default)]
pub(super) struct Answered {
    /// How many of WASI's functions were answered.
    pub(super) wasi: usize,
    /// How many of AssemblyScript's.
    pub(super) script: usize,
    /// Whether standard error is kept and handed over.
    pub(super) reports_failures: bool,
    /// The function that is told of the pages that `memory.grow` does not give, where somebody would say so.
    pub(super) refuse: Option<u32>,
    /// Whether the scratch memory is used.
    pub(super) uses_scratch: bool,
    /// The global with the status that the module left with, plus one.
    pub(super) exited: Option<u32>,
    /// The globals that say what of the scratch memory is in use.
    pub(super) cleared: Vec<u32>,
}

/// Whether a name of the module `env` is that of a runtime host function.
fn is_host_function(name: &str) -> bool {
    let Some((stem, version)) = name.rsplit_once("_version_") else { return false };
    stem.starts_with("ext_") && !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
}

/// What answers an import.
enum Answer {
    /// A runtime host function: the host.
    Host,
    /// A function that returns an error.
    Error(i32),
    /// The system's function with the name of the import.
    System,
}

/// Refuses every import that is neither a runtime host function nor one that is answered.
pub(super) fn check(module: &Module<'_>) -> Result<(), AdaptError> {
    let system = System::new(Settings::default())?;
    module.imports().try_for_each(|(number, from, name)| find(module, &system, number, from, name).map(drop))
}

fn find(module: &Module<'_>, system: &System, number: u32, from: &str, name: &str) -> Result<Answer, AdaptError> {
    if from == ENV && is_host_function(name) {
        return Ok(Answer::Host);
    }
    let full = format!("{from}.{name}");
    let offset = module.functions[number as usize].offset;
    let refusing = REFUSING.iter().find(|(refusing, ..)| from == WASI && *refusing == name);
    let (answer, expected) = match refusing {
        Some((_, params, error)) => (Answer::Error(*error), FuncType::new(params.chars().map(letter), [ValType::I32])),
        None => match system.ty(&full) {
            Some(ty) => (Answer::System, ty.clone()),
            None => return Err(foreign(from, full.escape_debug().to_string(), offset)),
        },
    };
    let found = module.function_type(number);
    if found != Some(&expected) {
        let found = found.map_or_else(|| "no function".to_owned(), ToString::to_string);
        return Err(AdaptError::WrongType { name: full, found, expected: expected.to_string(), offset });
    }
    Ok(answer)
}

/// Answers every import that is no runtime host function. Whether the module `grows` its memory says whether it may find none.
pub(super) fn answer(module: &mut Module<'_>, settings: Settings, grows: bool) -> Result<Answered, AdaptError> {
    let mut answered = Answered::default();
    let mut system = System::new(settings)?;
    let imports: Vec<(u32, String, String)> =
        module.imports().map(|(number, from, name)| (number, from.to_owned(), name.to_owned())).collect();
    for (number, from, name) in imports {
        let full = format!("{from}.{name}");
        let own = match find(module, &system, number, &from, &name)? {
            Answer::Host => continue,
            Answer::System => system.merge(&full, module)?,
            Answer::Error(error) => {
                let mut body = wasm_encoder::Function::new([]);
                body.instruction(&I::I32Const(error)).instruction(&I::End);
                let ty = module.functions[number as usize].ty;
                let ty = module.types[ty as usize].clone();
                module.add(format!("heapbase::system::{full}"), &ty, Origin::Made(body.into_raw_body()))
            }
        };
        module.substitutes.functions.insert(number, own);
        module.functions[number as usize].origin = Origin::Gone;
        if from == WASI {
            answered.wasi += 1
        } else {
            answered.script += 1
        }
        if matches!(&*full, "wasi_snapshot_preview1.fd_write" | "env.console.error" | "env.console.warn") {
            answered.reports_failures = true;
        }
    }
    let gives_up = module.uses(|operator| matches!(operator, Operator::Unreachable))?;
    if grows && gives_up {
        answered.refuse = Some(system.merge("heapbase.refuse", module)?);
    }
    if answered.reports_failures || answered.refuse.is_some() {
        module.substitutes.before_unreachable = Some(system.merge("heapbase.abort", module)?);
    }
    answered.uses_scratch = system.uses_scratch;
    answered.exited = system.global("exited");
    answered.cleared =
        ["out_used", "err_used", "kept", "failing", "refused"].iter().filter_map(|name| system.global(name)).collect();
    Ok(answered)
}

fn letter(letter: char) -> ValType {
    if letter == 'I' { ValType::I64 } else { ValType::I32 }
}

fn foreign(from: &str, name: String, offset: u64) -> AdaptError {
    let advice = match from {
        "gojs" | "go" => "it was built for browsers; build with GOOS=wasip1 GOARCH=wasm and -buildmode=c-shared",
        "wasi_unstable" => "that is the system interface before preview 1; build with a toolchain of this decade",
        "wbg" | "__wbindgen_placeholder__" | "__wbindgen_externref_xform__" => {
            "that is wasm-bindgen's glue for browsers; build without it"
        }
        _ if from.starts_with("wasi:") => "that is the system interface after preview 1; build for preview 1 (wasip1)",
        WASI => "WASI preview 1 has no function of that name",
        "asyncify" => "there is nothing to wait for in a runtime; build without asyncify",
        _ => {
            "no node provides that: runtime host functions are `env.ext_…_version_N`; leave out of the program what needs it"
        }
    };
    AdaptError::ForeignImport { kind: "function", name, offset, advice }
}
