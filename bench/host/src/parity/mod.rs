//! The same answers: outputs, failures, roots, and every address that the legacy allocator hands out.
//!
//! sc-executor running the original is the reference. Its `ext_allocator_malloc` and `ext_allocator_free` are overlaid with functions that
//! note what they do; heapbase-host records the same by itself. Buffers that host functions return come from the same
//! heap, and no host function can be overlaid to note them: one at another address would move the blocks around it.
//!
//! [`adapted`] compares what nodes refuse as it is. [`converted`] compares runtimes that the converter has changed with themselves before.

mod adapted;
mod converted;
mod failure;
mod recording;

use anyhow::Result;
use bench_common::material::{Case, Runtime, case_files, corpus_files};
use bench_host::{
    contestants::{node, ours},
    state::PreparedCase,
};
use failure::Failure;
use heapbase_host::{AllocationEvent, Engine, Origin, RawOutcome};
use recording::{HeapEvent, RecordingHostFunctions, recorded, recording_executor};
use sc_executor::WasmExecutor;
use sp_core::{
    Blake2Hasher,
    traits::{CallContext, CodeExecutor, Externalities, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_state_machine::{BasicExternalities, Ext, OverlayedChanges};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    path::Path,
    process::ExitCode,
};

/// Keeps the last line that a runtime logged on this thread: runtimes from before
/// `ext_panic_handler_abort_on_panic` log their panic and then trap on `unreachable`.
struct LastWords;

thread_local! {
    static LAST_WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

impl log::Log for LastWords {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() == log::Level::Error
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LAST_WORDS.set(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// What an executor made of a call.
struct Answer {
    output: Result<Vec<u8>, Failure>,
    events: Vec<HeapEvent>,
    /// The executor's own words, where it failed.
    words: String,
}

/// Compares everything whose name begins with `only` and says what was found.
///
/// # Errors
/// The corpus or a case cannot be read.
pub fn run(shared: &Path, only: &str, smoldot: Option<&Path>, converted_every: u32) -> Result<ExitCode> {
    log::set_logger(&LastWords).map_err(|_| anyhow::anyhow!("another logger is set"))?;
    log::set_max_level(log::LevelFilter::Error);
    let mut count = Count::default();
    for (index, file) in corpus_files(shared)?.into_iter().enumerate() {
        let runtime = Runtime::read(&file)?;
        if runtime.name.starts_with(only) {
            // One executor for both, so that it compiles the original once.
            let theirs = recording_executor();
            corpus_runtime(&theirs, &runtime, &mut count);
            adapted::corpus_runtime(&theirs, &runtime, &mut count)?;
            if index % converted_every as usize == 0 {
                converted::corpus_runtime(&theirs, &runtime, smoldot, &mut count)?;
            }
        }
    }
    for file in case_files(shared)? {
        let case = Case::read(&file)?;
        if case.name.starts_with(only) {
            let theirs = recording_executor();
            cases(&theirs, &case, &mut count)?;
            converted::case(&theirs, &case, &mut count)?;
        }
    }
    println!(
        "{} comparisons ({} of them failures with the same cause), {} addresses compared, {} differences",
        count.compared, count.same_failures, count.addresses, count.differences
    );
    Ok(if count.differences == 0 && count.compared > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default)]
struct Count {
    compared: usize,
    same_failures: usize,
    addresses: usize,
    differences: usize,
}

impl Count {
    /// Compares, and returns what a person should read.
    fn compare(&mut self, theirs: &Answer, ours: &Answer) -> String {
        self.compared += 1;
        self.addresses += theirs.events.iter().filter(|event| matches!(event, HeapEvent::Allocated { .. })).count();
        match difference(theirs, ours) {
            Some(difference) => {
                self.differences += 1;
                format!("DIFFERENT: {difference}")
            }
            None => match &theirs.output {
                Ok(output) => {
                    format!("same {} bytes, {} heap events", output.len(), theirs.events.len())
                }
                Err(failure) => {
                    self.same_failures += 1;
                    format!(
                        "same failure, {} heap events ({failure})\n      reference: {}\n      other: {}",
                        theirs.events.len(),
                        short(&theirs.words),
                        short(&ours.words)
                    )
                }
            },
        }
    }
}

/// In what `ours` differs, if in anything.
fn difference(theirs: &Answer, ours: &Answer) -> Option<String> {
    match (&theirs.output, &ours.output) {
        (Ok(expected), Ok(found)) if expected != found => {
            let at = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
            return Some(format!(
                "the reference answers {} bytes, the other {}, and they differ from byte {at}",
                expected.len(),
                found.len()
            ));
        }
        (Ok(_), Ok(_)) => {}
        (Err(expected), Err(found)) if expected.same_as(found) => {}
        (expected, found) => {
            let say = |answer: &Result<Vec<u8>, Failure>, words: &str| match answer {
                Ok(output) => format!("answers {} bytes", output.len()),
                Err(failure) => format!("fails, {failure} ({})", short(words)),
            };
            return Some(format!(
                "the reference {}; the other {}",
                say(expected, &theirs.words),
                say(found, &ours.words)
            ));
        }
    }
    let at = theirs.events.iter().zip(&ours.events).take_while(|(a, b)| a == b).count();
    (at < theirs.events.len().max(ours.events.len())).then(|| {
        format!(
            "heap event {at} of {} and {}: the reference {:?}, the other {:?}",
            theirs.events.len(),
            ours.events.len(),
            theirs.events.get(at),
            ours.events.get(at)
        )
    })
}

fn corpus_runtime(theirs: &WasmExecutor<RecordingHostFunctions>, runtime: &Runtime, count: &mut Count) {
    println!("{}", runtime.name);
    let fetcher = WrappedRuntimeCode(runtime.code.as_slice().into());
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: runtime.hash.to_vec() };
    let engines =
        Engine::ALL.map(|engine| (engine, heapbase_host::Runtime::new(&runtime.code, &ours::config(engine, None))));
    for entry in ["Core_version", "Metadata_metadata"] {
        let reference =
            reference(
                theirs,
                &code,
                entry,
                &[],
                CallContext::Offchain,
                |call| call(&mut BasicExternalities::default()),
            );
        for (engine, loaded) in &engines {
            let answer = match loaded {
                Ok(loaded) => {
                    let mut ext = BasicExternalities::default();
                    of_ours(loaded.call(entry, &[]).record_allocations().with(&mut ext))
                }
                Err(error) => refused(error),
            };
            println!("  {entry} {engine}: {}", count.compare(&reference, &answer));
        }
    }
}

/// sc-executor's answer. Called twice, and the second counts: the first may compile, and ask the runtime its version.
fn reference(
    executor: &WasmExecutor<RecordingHostFunctions>,
    code: &RuntimeCode<'_>,
    entry: &str,
    input: &[u8],
    context: CallContext,
    on: impl Fn(&mut dyn FnMut(&mut dyn Externalities)),
) -> Answer {
    let mut last = None;
    for _ in 0..2 {
        drop(recorded());
        LAST_WORDS.take();
        on(&mut |ext| last = Some(executor.call(ext, code, entry, input, context).0));
    }
    let events = recorded();
    match last.expect("`on` makes the call") {
        Ok(output) => Answer { output: Ok(output), events, words: String::new() },
        Err(error) => {
            let failure = Failure::of_theirs(&error).having_said(LAST_WORDS.take());
            Answer { output: Err(failure), events, words: error.to_string() }
        }
    }
}

fn of_ours(outcome: RawOutcome) -> Answer {
    let events = outcome
        .allocations
        .into_iter()
        .filter_map(|event| match event {
            AllocationEvent::Allocated { origin: Origin::Runtime, size, address } => {
                Some(HeapEvent::Allocated { size, address })
            }
            AllocationEvent::Allocated { .. } => None,
            AllocationEvent::Freed { address } => Some(HeapEvent::Freed { address }),
        })
        .collect();
    match outcome.output {
        Ok(output) => Answer { output: Ok(output), events, words: String::new() },
        Err(error) => Answer { output: Err(Failure::of_ours(&error)), events, words: error.to_string() },
    }
}

fn refused(error: &heapbase_host::Error) -> Answer {
    Answer { output: Err(Failure::of_ours(error)), events: Vec::new(), words: error.to_string() }
}

/// The case as it is, and with one byte flipped in three places; those must fail.
fn cases(theirs: &WasmExecutor<RecordingHostFunctions>, case: &Case, count: &mut Count) -> Result<()> {
    let runtime = case.runtime()?;
    let loaded =
        Engine::ALL.map(|engine| (engine, heapbase_host::Runtime::new(&runtime.code, &ours::config(engine, None))));
    let written = keys_written(theirs, &PreparedCase::new(case)?)?;
    for (what, variant) in variants(case, &written)? {
        println!("{}, {what}", case.name);
        let state = PreparedCase::unchecked(&variant)?;
        let fetcher = WrappedRuntimeCode(runtime.code.as_slice().into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: state.heap_pages, hash: runtime.hash.to_vec() };
        let context = CallContext::Onchain { import: true };
        let root = Cell::new(None);
        let reference = reference(theirs, &code, &state.entry, &state.input, context, |call| {
            root.set(Some(on_state(&state, call)));
        });
        for (engine, loaded) in &loaded {
            let mut answer = None;
            let our_root = on_state(&state, &mut |ext| {
                answer = Some(match loaded {
                    Ok(loaded) => {
                        let mut call = loaded.call(&state.entry, &state.input).importing();
                        if let Some(pages) = state.heap_pages {
                            call = call.heap_pages(pages.try_into().unwrap_or(u32::MAX));
                        }
                        of_ours(call.record_allocations().with(ext))
                    }
                    Err(error) => refused(error),
                });
            });
            let answer = answer.expect("`on_state` makes the call");
            let said = count.compare(&reference, &answer);
            println!("  {engine}: {said}");
            let wrong = match (&what[..], &answer.output) {
                ("as it is", Ok(_)) if our_root != state.expected_state_root => Some("the root is wrong"),
                ("as it is", Ok(_)) if root.get() != Some(our_root) => Some("the roots differ"),
                ("as it is", Err(_)) => Some("the case fails"),
                ("as it is", Ok(_)) | (_, Err(_)) => None,
                (_, Ok(_)) => Some("it does not fail"),
            };
            if let Some(wrong) = wrong {
                count.differences += 1;
                println!("  {engine}: DIFFERENT: {wrong}");
            }
        }
    }
    Ok(())
}

/// The keys of the main trie that the block writes.
fn keys_written(executor: &WasmExecutor<RecordingHostFunctions>, state: &PreparedCase) -> Result<BTreeSet<Vec<u8>>> {
    let mut overlay = OverlayedChanges::<Blake2Hasher>::default();
    node::execute(executor, state, &state.runtime, &mut overlay).map_err(anyhow::Error::msg)?;
    let changes = overlay.drain_storage_changes(&state.backend, state.state_version).map_err(anyhow::Error::msg)?;
    Ok(changes.main_storage_changes.into_iter().map(|(key, _)| key).collect())
}

/// Makes a call on the state with a fresh overlay, as the state machine does; returns the root after.
fn on_state(state: &PreparedCase, call: &mut dyn FnMut(&mut dyn Externalities)) -> [u8; 32] {
    let mut overlay = OverlayedChanges::<Blake2Hasher>::default();
    let mut extensions = Extensions::default();
    overlay.enter_runtime().expect("a new overlay is not in a runtime");
    call(&mut Ext::new(&mut overlay, &state.backend, Some(&mut extensions)));
    // After a failed call a transaction may be open; then there is no root to speak of.
    match overlay.exit_runtime().map(|()| overlay.drain_storage_changes(&state.backend, state.state_version)) {
        Ok(Ok(changes)) => changes.transaction_storage_root.0,
        _ => [0; 32],
    }
}

/// The case, and what must fail: its header's root, its last extrinsic and one value of its state with a flipped byte.
fn variants(case: &Case, written: &BTreeSet<Vec<u8>>) -> Result<Vec<(String, Case)>> {
    let mut variants = vec![("as it is".to_owned(), case.clone())];
    let root = case
        .input
        .windows(32)
        .position(|window| window == case.expected_state_root)
        .ok_or_else(|| anyhow::anyhow!("{}: the header does not hold the root", case.name))?;
    let mut flipped = case.clone();
    flipped.input[root + 5] ^= 1;
    variants.push((format!("byte {} of the input flipped (state root of the header)", root + 5), flipped));

    let last = case.input.len() - 1;
    let mut flipped = case.clone();
    flipped.input[last] ^= 1;
    variants.push((format!("byte {last} of the input flipped (the last extrinsic)"), flipped));

    // Any value counts into the root after, unless the block writes over it. The code is left alone: other code may do
    // anything.
    let key = case
        .top
        .iter()
        .filter(|(key, value)| !key.starts_with(b":") && !value.is_empty() && !written.contains(*key))
        .map(|(key, _)| key.clone())
        .next_back()
        .ok_or_else(|| anyhow::anyhow!("{}: the state has no value to flip", case.name))?;
    let mut flipped = case.clone();
    if let Some(byte) = flipped.top.get_mut(&key).and_then(|value| value.first_mut()) {
        *byte ^= 1;
    }
    variants.push((format!("first byte of the value at 0x{} flipped", hex::encode(key)), flipped));
    Ok(variants)
}

/// The first line, cut to what fits a terminal.
fn short(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(160).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::{failure::Trap, *};

    fn answer(output: Result<Vec<u8>, Failure>, addresses: &[u32]) -> Answer {
        let events = addresses.iter().map(|&address| HeapEvent::Allocated { size: 8, address }).collect();
        Answer { output, events, words: String::new() }
    }

    #[test]
    fn one_address_is_a_difference() {
        let theirs = answer(Ok(vec![1]), &[8, 24, 40]);
        assert_eq!(difference(&theirs, &answer(Ok(vec![1]), &[8, 24, 40])), None);
        let moved = difference(&theirs, &answer(Ok(vec![1]), &[8, 24, 48])).unwrap();
        assert!(moved.contains("heap event 2"), "{moved}");
        assert!(difference(&theirs, &answer(Ok(vec![1]), &[8, 24])).is_some());
    }

    #[test]
    fn a_failure_is_not_an_answer() {
        let ok = answer(Ok(Vec::new()), &[]);
        let failed = answer(Err(Failure::NoEntry), &[]);
        assert!(difference(&ok, &failed).is_some() && difference(&failed, &ok).is_some());
        assert_eq!(difference(&failed, &answer(Err(Failure::NoEntry), &[])), None);
    }

    fn trap(words: &str) -> Failure {
        Failure::Trapped(Trap::Unreachable, None).having_said(words.to_owned())
    }

    #[test]
    fn real_differences_are_found() {
        let import = |name: &str| Failure::MissingImport(name.to_owned());
        let different = [
            (answer(Ok(vec![1]), &[]), answer(Ok(vec![2]), &[])),
            (answer(Ok(vec![1]), &[]), answer(Ok(vec![1, 2]), &[])),
            (answer(Ok(Vec::new()), &[]), answer(Err(trap("")), &[])),
            (answer(Err(trap("")), &[]), answer(Ok(Vec::new()), &[])),
            (answer(Err(trap("a")), &[]), answer(Err(trap("b")), &[])),
            (answer(Err(trap("")), &[]), answer(Err(Failure::Trapped(Trap::Memory, None)), &[])),
            (answer(Err(trap("")), &[]), answer(Err(Failure::Panicked("a".to_owned())), &[])),
            (answer(Err(trap("")), &[]), answer(Err(Failure::OutOfMemory), &[])),
            (answer(Err(trap("")), &[]), answer(Err(import("x")), &[])),
            (answer(Err(import("y")), &[]), answer(Err(import("x")), &[])),
            // The same end, but another way to it.
            (answer(Err(trap("")), &[16]), answer(Err(trap("")), &[24])),
            (answer(Ok(Vec::new()), &[16]), answer(Ok(Vec::new()), &[16, 32])),
            (answer(Ok(Vec::new()), &[16, 32]), answer(Ok(Vec::new()), &[16])),
        ];
        for (number, (theirs, ours)) in different.iter().enumerate() {
            assert!(difference(theirs, ours).is_some(), "the pair {number}");
            let mut count = Count::default();
            count.compare(theirs, ours);
            assert_eq!((count.compared, count.differences, count.same_failures), (1, 1, 0), "the pair {number}");
        }
    }

    #[test]
    fn the_same_failure_is_counted_as_one() {
        let mut count = Count::default();
        for words in ["", "panic: nil pointer"] {
            count.compare(&answer(Err(trap("")), &[]), &answer(Err(trap(words)), &[]));
            count.compare(&answer(Err(trap(words)), &[]), &answer(Err(trap("")), &[]));
        }
        assert_eq!((count.compared, count.differences, count.same_failures), (4, 0, 4));
    }
}
