//! How the process ends.

use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use heapbase_host::Error;

use crate::text::printable;

/// Exit status of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All went well.
    Success = 0,
    /// The runtime failed: a trap, a wrong state root, a module that is refused.
    Failed = 1,
    /// Usage, or input that cannot be read.
    Usage = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Whose fault an error of the host is.
pub(crate) fn of(error: &Error) -> Exit {
    match error {
        Error::Decompress { .. }
        | Error::ModuleTooLarge { .. }
        | Error::NotWasm { .. }
        | Error::Malformed { .. }
        | Error::NoEntry { .. }
        | Error::NotAnEntry { .. }
        | Error::NoCode
        | Error::InputTooLarge(_)
        | Error::State(_) => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// Says what went wrong on standard error. A reader that closed the pipe knows why.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        return Exit::Success;
    }
    use owo_colors::OwoColorize;
    anstream::eprintln!("{} {}", "error:".red().bold(), printable(&format!("{error:#}")));
    error.downcast_ref::<Error>().map_or(Exit::Usage, of)
}

/// As [`report`], and on standard output for a program that asked for JSON: a command that failed prints an object too.
pub(crate) fn report_as(json: bool, error: &anyhow::Error) -> Exit {
    let exit = report(error);
    if json && exit != Exit::Success {
        // Nobody is left to be told that nobody listens.
        let _ = writeln!(io::stdout(), "{}", serde_json::json!({ "ok": false, "error": format!("{error:#}") }));
    }
    exit
}

/// A host function that panics on what a runtime hands it ends that call with an error, which is reported; the panic's own
/// message would only be noise, unless somebody debugs the host.
pub(crate) fn quiet_host_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    let standard = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !heapbase_host::is_calling() {
            standard(panic);
        }
    }));
}
