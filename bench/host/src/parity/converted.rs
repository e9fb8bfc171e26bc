//! The same answers after a conversion: every entry point of every runtime, with no input and with input that means nothing,
//! and every case, on hosts that know nothing of a conversion and on our own.
//!
//! Only addresses may differ. Failures are compared by their cause: the runtime's own message, the kind of trap. A runtime whose
//! own allocator has no memory left can only trap.

use super::{
    Answer, Count, failure::Failure, keys_written, of_ours, on_state, recording::RecordingHostFunctions, reference,
    refused, variants,
};
use anyhow::{Context, Result};
use bench_common::{
    Request, Work,
    material::{Case, Runtime},
    stats::Clock,
};
use bench_host::{contestants::ours, runners::Peer, state::PreparedCase};
use heapbase_host::Engine;
use heapbase_module::{
    Blob, Spec,
    convert::{ConvertError, Options, convert},
    inspect_blob,
};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, RuntimeCode, WrappedRuntimeCode};
use sp_crypto_hashing::blake2_512;
use sp_state_machine::BasicExternalities;
use std::{cell::Cell, path::Path, process::Command};

/// What our host runs beside the original, interpreted: that starts at once.
const OURS: [Spec; 2] = [Spec::Local, Spec::V1];

/// The runtime converted, where it has an allocator to move.
fn converted(runtime: &Runtime, to: Spec) -> Result<Option<Runtime>> {
    let blob = Blob::read(&runtime.code).with_context(|| runtime.name.clone())?;
    match convert(blob.wasm(), &Options::new(to)) {
        Ok(done) => Ok(Some(Runtime::new(runtime.name.clone(), done.wasm))),
        Err(ConvertError::NoAllocator) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} to {to}", runtime.name)),
    }
}

/// The inputs of an entry point: none, and bytes that depend on its name.
fn inputs(entry: &str) -> [Vec<u8>; 3] {
    let some = blake2_512(entry.as_bytes());
    let more: Vec<u8> = (0..16_u8).flat_map(|turn| blake2_512(&[&[turn], entry.as_bytes()].concat())).collect();
    [Vec::new(), some.to_vec(), more]
}

/// An answer without what a conversion may change.
fn without_addresses(answer: Answer) -> Answer {
    Answer { events: Vec::new(), ..answer }
}

/// Compares all entry points of one runtime of the corpus.
///
/// # Errors
/// The runtime cannot be read, the converter refuses it, or smoldot's process ends.
pub(super) fn corpus_runtime(
    theirs: &WasmExecutor<RecordingHostFunctions>,
    runtime: &Runtime,
    smoldot: Option<&Path>,
    count: &mut Count,
) -> Result<()> {
    let Some(local) = converted(runtime, Spec::Local)? else {
        println!("  has no allocator to convert");
        return Ok(());
    };
    let of = |runtime: &Runtime, entry: &str, input: &[u8]| {
        let fetcher = WrappedRuntimeCode(runtime.code.as_slice().into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: runtime.hash.to_vec() };
        let call = |call: &mut dyn FnMut(&mut dyn sp_externalities::Externalities)| {
            call(&mut BasicExternalities::default());
        };
        without_addresses(reference(theirs, &code, entry, input, CallContext::Offchain, call))
    };
    let mut loaded = Vec::new();
    for to in OURS {
        if let Some(converted) = converted(runtime, to)? {
            loaded.push((to, heapbase_host::Runtime::new(&converted.code, &ours::config(Engine::Wasmi, None))));
        }
    }
    let mut smoldot = smoldot.map(|program| Smoldot::start(program, runtime, &local)).transpose()?;
    let report = inspect_blob(&Blob::read(&runtime.code)?)?;
    let entries = report.exports.iter().filter(|export| &*export.ty == "(i32, i32) -> i64");
    let (before, compared, failures) = (count.differences, count.compared, count.same_failures);
    for entry in entries.map(|export| export.name.as_str()) {
        for input in inputs(entry) {
            let original = of(runtime, entry, &input);
            let under_v1 = Answer {
                output: original.output.clone().map_err(Failure::under_v1),
                events: Vec::new(),
                words: original.words.clone(),
            };
            let mut compare = |who: &str, to: Spec, answer: &Answer| {
                let differences = count.differences;
                let said = count.compare(if to == Spec::V1 { &under_v1 } else { &original }, answer);
                if count.differences > differences {
                    println!("  {entry}, {} bytes of input, {who}: {said}", input.len());
                }
            };
            compare("local on sc-executor", Spec::Local, &of(&local, entry, &input));
            for (to, loaded) in &loaded {
                let answer = match loaded {
                    Ok(loaded) => of_ours(loaded.call(entry, &input).with(&mut BasicExternalities::default())),
                    Err(error) => refused(error),
                };
                compare(&format!("{to} on heapbase"), *to, &answer);
            }
            if let Some(smoldot) = &mut smoldot {
                count.compared += 1;
                match smoldot.compare(entry, &input) {
                    Ok(failure) => count.same_failures += usize::from(failure),
                    Err(difference) => {
                        count.differences += 1;
                        println!(
                            "  {entry}, {} bytes of input, local on smoldot: DIFFERENT: {difference}",
                            input.len()
                        );
                    }
                }
            }
        }
    }
    println!(
        "  converted: {} comparisons of entry points, {} of them failures with the same cause, {} differences",
        count.compared - compared,
        count.same_failures - failures,
        count.differences - before
    );
    Ok(())
}

/// Compares the case, as it is and with flipped bytes, executed by the original and by the converted runtime.
///
/// # Errors
/// The case cannot be prepared, or the converter refuses its runtime.
pub(super) fn case(theirs: &WasmExecutor<RecordingHostFunctions>, case: &Case, count: &mut Count) -> Result<()> {
    let runtime = case.runtime()?;
    let local = converted(&runtime, Spec::Local)?.context("the case's runtime has no allocator")?;
    let written = keys_written(theirs, &PreparedCase::new(case)?)?;
    for (what, variant) in variants(case, &written)? {
        let state = PreparedCase::unchecked(&variant)?;
        let of = |runtime: &Runtime| {
            let root = Cell::new(None);
            let fetcher = WrappedRuntimeCode(runtime.code.as_slice().into());
            let code =
                RuntimeCode { code_fetcher: &fetcher, heap_pages: state.heap_pages, hash: runtime.hash.to_vec() };
            let context = CallContext::Onchain { import: true };
            let answer = reference(theirs, &code, &state.entry, &state.input, context, |call| {
                root.set(Some(on_state(&state, call)));
            });
            (without_addresses(answer), root.get())
        };
        let (original, expected) = of(&runtime);
        let (answer, root) = of(&local);
        println!("{}, {what}\n  local on sc-executor: {}", case.name, count.compare(&original, &answer));
        if original.output.is_ok() && root != expected {
            count.differences += 1;
            println!("  local on sc-executor: DIFFERENT: another root");
        }
    }
    Ok(())
}

/// smoldot with a runtime before and after its conversion.
struct Smoldot {
    peer: Peer,
    folder: tempfile::TempDir,
}

impl Smoldot {
    /// Starts the program, interpreting.
    fn start(program: &Path, original: &Runtime, local: &Runtime) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (name, runtime) in [(ORIGINAL, original), (LOCAL, local)] {
            std::fs::write(folder.path().join(name), &runtime.code)?;
        }
        let peer = Peer::start("smoldot", Command::new(program).args(["serve", "wasmi"]))?;
        Ok(Self { peer, folder })
    }

    fn call(&mut self, name: &str, entry: &str, input: &[u8]) -> Result<Vec<u8>, String> {
        let work =
            Work::Call { runtime: self.folder.path().join(name), entry: entry.to_owned(), input: input.to_vec() };
        let request = Request { work, calls: 1, fresh: false, clock: Clock::Wall, processor: None };
        self.peer.run(&request).map(|(_, output)| output)
    }

    /// In what the answers differ, if in anything; otherwise whether they are failures.
    fn compare(&mut self, entry: &str, input: &[u8]) -> Result<bool, String> {
        let original = self.call(ORIGINAL, entry, input);
        let local = self.call(LOCAL, entry, input);
        match (&original, &local) {
            _ if original == local => Ok(original.is_err()),
            (Ok(expected), Ok(found)) => {
                let at = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
                Err(format!("{} and {} bytes, which differ from byte {at}", expected.len(), found.len()))
            }
            (Err(expected), Err(found)) => Err(format!("fails with {expected}; converted with {found}")),
            (Ok(_), Err(found)) => Err(format!("fails only converted: {found}")),
            (Err(expected), Ok(_)) => Err(format!("fails only as it was: {expected}")),
        }
    }
}

const ORIGINAL: &str = "original.wasm";
const LOCAL: &str = "local.wasm";
