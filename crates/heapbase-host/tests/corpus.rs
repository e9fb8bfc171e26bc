//! Real runtimes: both engines give the same answers, byte for byte, and allocate alike.

mod common;

use codec::Decode;
use heapbase_host::{AllocationEvent, Cache, Config, Engine, Error, Features, Runtime, Spec, State, Statistics};
use sp_version::RuntimeVersion;
use std::path::{Path, PathBuf};

/// What a call gave, in a form that two engines can be compared by.
#[derive(Debug, PartialEq)]
struct Answer {
    /// The output, or the runtime's own message and the host function in which it failed.
    output: Result<Vec<u8>, (Option<String>, Option<String>)>,
    statistics: Statistics,
    allocations: Vec<AllocationEvent>,
}

/// Compiled code is kept between test runs: compiling all of the corpus takes minutes.
fn config(engine: Engine) -> Config {
    let cache = Cache::Folder(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("corpus-cache"));
    Config { engine, cache, ..Config::default() }
}

fn answer(runtime: &Runtime, entry: &str) -> Answer {
    let mut ext = sp_state_machine::BasicExternalities::default();
    let outcome = runtime.call(entry, b"").record_allocations().count_host_calls().with(&mut ext);
    let output = outcome.output.map_err(|error| match error {
        Error::Call(error) => (error.panic_message, error.host_function),
        other => panic!("{entry} was not called: {other}"),
    });
    Answer { output, statistics: outcome.statistics, allocations: outcome.allocations }
}

/// `memory` of each runtime in the manifest, by file name.
fn manifest(folder: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(folder.join("manifest.tsv")).expect("the corpus has a manifest");
    let line = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        (fields[0].to_owned(), fields[3].to_owned())
    };
    text.lines().skip(1).map(line).collect()
}

/// Runtimes that use more of WebAssembly than stock nodes take.
const BEYOND_NODES: [&str; 1] = ["node-template-v15-d9ad33.wasm"];

#[test]
fn engines_agree_on_every_runtime() {
    let Some(folder) = common::shared("corpus") else {
        return;
    };
    let versions = manifest(&folder);
    let (mut problems, mut beyond_nodes) = (Vec::new(), Vec::new());
    for file in common::files(&folder, ".wasm") {
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let code = std::fs::read(&file).expect("the corpus can be read");
        let load = |features| Engine::ALL.map(|engine| Runtime::new(&code, &Config { features, ..config(engine) }));
        // A stock node refuses what was compiled for a later WebAssembly; both engines must, for the same reason.
        let loaded = match load(Features::Node) {
            [Err(one), Err(two)] => {
                assert_eq!(one.to_string(), two.to_string(), "{name}");
                assert!(matches!(one, Error::Invalid { .. }), "{name}: {one}");
                beyond_nodes.push(name.clone());
                load(Features::Extended)
            }
            loaded => loaded,
        };
        let [compiled, interpreted] = loaded.map(|runtime| runtime.unwrap_or_else(|error| panic!("{name}: {error}")));
        assert_eq!(compiled.spec(), Spec::Legacy, "{name}");
        assert!(compiled.entry_points().eq(interpreted.entry_points()), "{name}");

        for entry in ["Core_version", "Metadata_metadata"] {
            let [one, two] = [&compiled, &interpreted].map(|runtime| answer(runtime, entry));
            if one != two {
                let length = one.output.as_ref().map(Vec::len);
                problems
                    .push(format!("{name}, {entry}: the engines differ; the first: {length:?}, {:?}", one.statistics));
            }
            if one != answer(&compiled, entry) {
                problems.push(format!("{name}, {entry}: a second call gives another answer"));
            }
            check_statistics(&format!("{name}, {entry}"), &one, &mut problems);
            let Ok(output) = one.output else { continue };
            if entry == "Metadata_metadata" && !output.windows(4).take(16).any(|window| window == b"meta") {
                problems.push(format!("{name}: metadata without their magic"));
            }
            let declared = versions.iter().find(|(file, _)| *file == name).map(|(_, version)| version.as_str());
            if let ("Core_version", Some((spec_name, rest))) =
                (entry, declared.and_then(|version| version.split_once('/')))
            {
                let version = RuntimeVersion::decode(&mut &output[..]).expect("an encoded version");
                let expected = format!("{spec_name}/{rest}");
                let found = format!("{}/{}-{}", version.spec_name, version.impl_name, version.spec_version);
                if found != expected {
                    problems.push(format!("{name}: version {found}, the manifest says {expected}"));
                }
            }
        }
    }
    assert_eq!(beyond_nodes, BEYOND_NODES);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// What the allocator says of itself and what was recorded of it are the same thing.
fn check_statistics(name: &str, answer: &Answer, problems: &mut Vec<String>) {
    let Statistics { host_allocations, host_bytes_asked, host_bytes_given, host_bytes_peak, .. } = answer.statistics;
    let sizes = answer.allocations.iter().filter_map(|event| match event {
        AllocationEvent::Allocated { size, .. } => Some(u64::from(*size)),
        AllocationEvent::Freed { .. } => None,
    });
    let asked: Vec<u64> = sizes.collect();
    // A header of 8 bytes, and the next power of two from 8 up.
    let given: u64 = asked.iter().map(|size| 8 + size.max(&8).next_power_of_two()).sum();
    let recorded = (asked.len() as u64, asked.iter().sum::<u64>(), given);
    if recorded != (host_allocations, host_bytes_asked, host_bytes_given) {
        problems.push(format!("{name}: recorded {recorded:?}, statistics {:?}", answer.statistics));
    }
    if host_bytes_peak > host_bytes_given || (host_allocations > 0 && host_bytes_peak == 0) {
        problems.push(format!("{name}: a peak of {host_bytes_peak} of {host_bytes_given} bytes"));
    }
}

#[test]
fn a_warm_cache_gives_the_same() {
    let Some(folder) = common::shared("corpus") else {
        return;
    };
    let file =
        common::files(&folder, ".wasm").into_iter().min_by_key(|file| file.metadata().map_or(u64::MAX, |it| it.len()));
    let code = std::fs::read(file.expect("the corpus is not empty")).expect("the corpus can be read");
    let cache = tempfile::tempdir().expect("a folder for the cache");
    let config = Config { cache: Cache::Folder(cache.path().to_owned()), ..Config::default() };
    let cold = Runtime::new(&code, &config).expect("it loads");
    assert!(!cold.from_cache());
    let warm = Runtime::new(&code, &config).expect("it loads");
    assert!(warm.from_cache());
    let on = |runtime: &Runtime| runtime.call("Core_version", b"").on(&State::default()).expect("it answers").output;
    let expected = on(&cold);
    assert_eq!(on(&warm), expected);

    // What lies in the folder may be cut or changed: it is compiled again. Not while it is in use, though: compiled code is
    // mapped from its file, which heapbase itself only ever replaces.
    drop((cold, warm));
    for file in common::files(cache.path(), "") {
        let good = std::fs::read(&file).expect("the cache can be read");
        let mut bad =
            vec![vec![], good[..good.len() / 2].to_vec(), vec![0xa5; good.len()], [&good[..], b"more"].concat()];
        for at in (0..good.len()).step_by(good.len() / 5) {
            let mut changed = good.clone();
            changed[at] ^= 0x10;
            bad.push(changed);
        }
        for bad in bad {
            std::fs::write(&file, bad).expect("the cache can be written");
            let again = Runtime::new(&code, &config).expect("it loads in spite of the cache");
            assert!(!again.from_cache(), "a damaged file was used");
            assert_eq!(on(&again), expected);
            let healed = Runtime::new(&code, &config).expect("it loads");
            assert!(healed.from_cache(), "a damaged file was not replaced");
        }
    }
}
