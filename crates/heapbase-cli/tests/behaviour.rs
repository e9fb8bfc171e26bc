//! Converted runtimes behave as their originals: the whole corpus with every entry point, and real blocks.

mod common;

use codec::{Compact, Decode};
use common::shared;
use heapbase_host::{Cache, Case, Cause, Config, Engine, Error, Features, HeapPages, Limits, Runtime, State};
use heapbase_module::{
    Blob, Spec,
    convert::{Allocator, Conversion, Family, Options, convert},
};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Instructions that a call may execute. Nearly all need far fewer.
const FUEL: u64 = 40_000_000;

/// Entry points that are given as many as they need.
const MUST_ANSWER: [&str; 2] = ["Core_version", "Metadata_metadata"];

/// A runtime with `.debug_*` sections, which no conversion keeps.
const HAS_DEBUGGING_INFORMATION: &str = "node-0a7b03";

/// What a call gave. Addresses are no part of it.
#[derive(Debug, PartialEq)]
enum Answer {
    /// Output, and the state's root after it.
    Returned(Vec<u8>, [u8; 32]),
    /// The runtime's own message, and the host function it failed in.
    Failed(Option<String>, Option<String>),
    /// It takes longer than this test has time: how far it got says nothing.
    Unknown,
}

fn answer(runtime: &Runtime, entry: &str, input: &[u8]) -> Answer {
    match runtime.call(entry, input).on(&State::default()) {
        Ok(outcome) => {
            let root = outcome.state_root().0;
            Answer::Returned(outcome.output, root)
        }
        Err(Error::Call(error)) => match error.cause {
            Cause::OutOfFuel | Cause::TooManyBytes => Answer::Unknown,
            // An allocator that does not know a block says so on either side, in its own way.
            _ => Answer::Failed(error.panic_message, error.host_function.filter(|name| !name.contains("allocator"))),
        },
        Err(error) => panic!("{entry} was not called: {error}"),
    }
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(ending));
    files.sort();
    assert!(!files.is_empty(), "nothing that ends in {ending} in {}", folder.display());
    files
}

fn converted(wasm: &[u8], to: Spec, name: &str) -> Conversion {
    convert(wasm, &Options::new(to)).unwrap_or_else(|error| panic!("{name} to {to}: {error}"))
}

/// Bytes that look random and are the same every time (xorshift).
fn random(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// What comparing a runtime with its conversions found.
#[derive(Default)]
struct Found {
    calls: usize,
    failed: usize,
    unknown: usize,
    problems: Vec<String>,
    /// What does not come back byte for byte.
    other_bytes: Vec<String>,
}

#[test]
fn every_entry_point_of_the_corpus() {
    let Some(folder) = shared("corpus") else { return };
    let files = files(&folder, ".wasm");
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Found::default();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            every_entry_point(file, &mut found);
        }
        found
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts: Vec<Found> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it says what it found")).collect()
    });
    let sum = |number: fn(&Found) -> usize| parts.iter().map(number).sum::<usize>();
    let all = |list: fn(&Found) -> &Vec<String>| parts.iter().flat_map(list).cloned().collect::<Vec<_>>();
    let (calls, failed, unknown) = (sum(|part| part.calls), sum(|part| part.failed), sum(|part| part.unknown));
    println!("{calls} calls compared, {failed} of them failing alike; {unknown} took too long");
    let problems = all(|part| &part.problems);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(calls > 4000 && failed * 10 < calls * 9 && unknown * 50 < calls, "{calls}, {failed}, {unknown}");
    // Whoever takes a conversion back has the very bytes again, save where debugging information went with it, and padding in the
    // code that it had been made with.
    let mut other_bytes = all(|part| &part.other_bytes);
    other_bytes.retain(|name| !name.starts_with(HAS_DEBUGGING_INFORMATION));
    assert_eq!(other_bytes, Vec::<String>::new());
}

/// Calls every entry point of a runtime and of its conversions, with nothing and with random input.
fn every_entry_point(file: &Path, found: &mut Found) {
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let original = Blob::read(&std::fs::read(file).expect("readable")).expect("a module").into_wasm();
    // This engine zeroes all of a memory for each call, which a smaller arena makes a third of the time.
    let with_arena = |to| {
        let mut options = Options::new(to);
        options.arena = 1 << 20;
        convert(&original, &options).unwrap_or_else(|error| panic!("{name} to {to}: {error}"))
    };
    let conversions = [Spec::V1, Spec::Local].map(with_arena);
    for conversion in &conversions {
        if converted(&conversion.wasm, Spec::Legacy, &name).wasm != original {
            found.other_bytes.push(format!("{name} from {}", conversion.to));
        }
    }
    let load = |wasm: &[u8], fuel| {
        let limits = Limits { fuel, ..Limits::default() };
        // Nor does it need the heap of a node, 128 MiB of zeroes.
        let heap_pages = HeapPages::Fixed(256);
        let config =
            Config { engine: Engine::Wasmi, heap_pages, limits, features: Features::Extended, ..Config::default() };
        Runtime::new(wasm, &config).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let before = load(&original, Some(FUEL));
    let after = conversions.each_ref().map(|conversion| (conversion.to, load(&conversion.wasm, Some(FUEL))));
    let unbounded = [&original, &conversions[0].wasm, &conversions[1].wasm].map(|wasm| load(wasm, None));
    for entry in MUST_ANSWER {
        for input in [Vec::new(), random(original.len() as u64, 40)] {
            let [expected, v1, local] = unbounded.each_ref().map(|runtime| answer(runtime, entry, &input));
            found.calls += 2;
            if v1 != expected || local != expected {
                found.problems.push(format!("{name}: {entry} with {} bytes", input.len()));
            }
        }
    }
    let entries: Vec<_> = before.entry_points().map(str::to_owned).collect();
    for (to, runtime) in &after {
        let added = ["alloc", "dealloc", "realloc", "v1"];
        let others: Vec<_> = runtime.entry_points().filter(|entry| !added.contains(entry)).collect();
        assert_eq!(others, entries, "{name} as {to}");
    }
    let others = entries.iter().filter(|entry| !MUST_ANSWER.contains(&entry.as_str()));
    for (place, entry) in others.enumerate() {
        let seed = (original.len() + place) as u64 * 0x9e37_79b9;
        for input in [Vec::new(), random(seed, 1 + place % 200)] {
            let expected = answer(&before, entry, &input);
            if expected == Answer::Unknown {
                found.unknown += 1;
                continue;
            }
            for (to, runtime) in &after {
                let answer = answer(runtime, entry, &input);
                // Allocating counts as instructions only where the runtime itself does it.
                if answer == Answer::Unknown {
                    found.unknown += 1;
                    continue;
                }
                found.calls += 1;
                found.failed += usize::from(matches!(answer, Answer::Failed(..)));
                if answer != expected {
                    found.problems.push(format!("{name} as {to}: {entry} with {} bytes", input.len()));
                }
            }
        }
    }
}

struct Block {
    name: String,
    case: Case,
    state: State,
    code: Vec<u8>,
}

fn blocks() -> Vec<Block> {
    let Some(folder) = shared("cases") else { return Vec::new() };
    let read = |file: &PathBuf| {
        let text = std::fs::read(file).expect("readable");
        let case = Case::from_json(&text).expect("a case");
        let state = State::from_json(&text).expect("a state");
        let code = Blob::read(&state.code().expect("a runtime")).expect("a module").into_wasm();
        Block { name: case.name.clone(), case, state, code }
    };
    let blocks: Vec<_> = files(&folder, ".json").iter().map(read).collect();
    assert_eq!(blocks.len(), 4);
    blocks
}

impl Block {
    fn load(&self, wasm: &[u8], engine: Engine) -> Runtime {
        let cache = Cache::Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        let config = Config { engine, cache, heap_pages: HeapPages::FromState, ..Config::default() };
        Runtime::new(wasm, &config).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The block passes with the header's root, and does not when that root is another.
    fn check(&self, wasm: &[u8], what: &str, engine: Engine) {
        let runtime = self.load(wasm, engine);
        let outcome = runtime.call(&self.case.entry, &self.case.input).on(&self.state);
        let outcome = outcome.unwrap_or_else(|error| panic!("{}, {what}: {error}", self.name));
        assert_eq!(Some(outcome.state_root()), self.case.expected_state_root, "{}, {what}", self.name);
        assert_eq!(outcome.output, b"", "{}, {what}: a block returns nothing", self.name);
        // Behind the parent's hash and the block's number.
        let mut rest = &self.case.input[32..];
        Compact::<u32>::decode(&mut rest).expect("a block has a number");
        let root = self.case.input.len() - rest.len();
        let mut input = self.case.input.clone();
        input[root + 7] ^= 1;
        match runtime.call(&self.case.entry, &input).on(&self.state) {
            Err(Error::Call(error)) => assert!(error.panic_message.is_some(), "{}, {what}: {error}", self.name),
            Err(error) => panic!("{}, {what}: {error}", self.name),
            Ok(_) => panic!("{}, {what}: a wrong root passes", self.name),
        }
    }
}

#[test]
fn blocks_give_the_root_of_their_header() {
    for block in blocks() {
        for to in [Spec::V1, Spec::Local] {
            let wasm = converted(&block.code, to, &block.name).wasm;
            for engine in Engine::ALL {
                block.check(&wasm, &to.to_string(), engine);
            }
        }
    }
}

#[test]
fn blocks_with_every_allocator_and_arena() {
    // What a leaking allocator cannot hold any more, the host does: the arena may be as small as it likes.
    const ARENAS: [u32; 3] = [16 << 10, 64 << 10, 40 << 20];
    for block in blocks() {
        for family in Family::ALL {
            let mut options = Options::new(Spec::V1);
            options.allocator = Allocator::Family(family);
            let arenas = ARENAS.iter().map(|arena| (Spec::Local, *arena));
            for (to, arena) in arenas.chain([(Spec::V1, 0)]) {
                // Takes a page for each block: gigabytes.
                if (to, family) == (Spec::V1, Family::LeakingPage) {
                    continue;
                }
                // What is larger than any request, with the flagship; it takes time to map.
                if arena == 40 << 20 && family != Family::SizeClass {
                    continue;
                }
                (options.to, options.arena) = (to, arena);
                let what = format!("{to} with {} in {arena} bytes", family.name());
                let wasm = convert(&block.code, &options).unwrap_or_else(|error| panic!("{what}: {error}")).wasm;
                block.check(&wasm, &what, Engine::Wasmi);
            }
        }
    }
}
