//! `heapbase block` and `demo` as a person and a program meet them.

mod common;

use common::{heapbase, json, shared};
use predicates::{prelude::PredicateBooleanExt, str::contains};

const CASES: [&str; 4] =
    ["contracts-child-trie-create-multiple", "contracts-child-trie-create-one", "kusama-1", "polkadot-1"];

#[test]
fn every_case_gives_the_root_of_its_header() {
    let Some(cases) = shared("cases") else { return };
    let files: Vec<_> = CASES.iter().map(|name| cases.join(format!("{name}.json")).display().to_string()).collect();
    let mut arguments = vec!["block"];
    arguments.extend(files.iter().map(String::as_str));
    let (status, objects) = json(&arguments, "");
    assert_eq!(status, 0, "{objects:?}");
    assert_eq!(objects.len(), CASES.len());
    for (object, name) in objects.iter().zip(CASES) {
        assert_eq!(object["name"], name);
        assert_eq!(object["ok"], true, "{object}");
        assert_eq!(object["engine"], "wasmtime");
        assert_eq!(object["spec"], "legacy");
        assert_eq!(object["state_root"], object["expected_state_root"]);
        assert!(object["host_allocations"].as_u64().expect("a number") > 400);
    }
    // The other engine executes the same blocks.
    arguments.extend(["--engine", "wasmi"]);
    let (status, interpreted) = json(&arguments, "");
    assert_eq!(status, 0);
    for (object, compiled) in interpreted.iter().zip(&objects) {
        for key in ["ok", "output", "state_root", "peak_pages", "host_allocations"] {
            assert_eq!(object[key], compiled[key], "{key} of {}", object["name"]);
        }
        assert!(object["touched_bytes"].is_null(), "{object}");
    }
    // What is written of memory does not count an arena that is mostly left alone.
    for to in ["v1", "local"] {
        let (status, converted) = json(&["block", &files[0], "--to", to], "");
        assert_eq!(status, 0, "{converted:?}");
        let Some(bytes) = converted[0]["touched_bytes"].as_u64() else {
            println!("SKIPPED: the kernel has no PAGEMAP_SCAN (Linux 6.7)");
            assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "the scan is required here");
            return;
        };
        let before = objects[0]["touched_bytes"].as_u64().expect("known for one, known for all");
        assert!(before > 0 && bytes < 4 * before, "{bytes} after the conversion to {to}, {before} before");
    }
}

/// What the keys of FRAME's `System` begin with.
const SYSTEM: &str = "0x26aa394eea5630e07c48ae0c9558cef7";

/// Flips one byte of a hexadecimal text, counted from its start.
fn flip(text: &str, byte: usize) -> String {
    let digits = text.strip_prefix("0x").expect("0x");
    let mut bytes = hex::decode(digits).expect("hexadecimal");
    bytes[byte] ^= 1;
    format!("0x{}", hex::encode(bytes))
}

#[test]
fn one_flipped_byte_makes_a_case_fail_with_the_runtimes_message() {
    let Some(cases) = shared("cases") else { return };
    for name in CASES {
        let text = std::fs::read_to_string(cases.join(format!("{name}.json"))).expect("the case");
        let case: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let input = case["input"].as_str().expect("an input");
        // A header is the parent's hash (32 bytes), the number (1 here), the state root, the extrinsics root.
        let state_root = 32 + 1 + 5;
        let last = input.len() / 2 - 2;
        let changed = [("the header's state root", flip(input, state_root)), ("an extrinsic", flip(input, last))];
        // A block overwrites what it keeps under `System` and under well-known keys without having read it.
        let kept = |key: &str| !key.starts_with(SYSTEM) && !key.starts_with("0x3a");
        let top = case["top"].as_object().expect("a state");
        let (key, value) = top.iter().find(|(key, value)| kept(key) && *value != "0x").expect("a value");
        let mut with_value = case.clone();
        with_value["top"][key] = flip(value.as_str().expect("hexadecimal"), 0).into();
        let run = |what: &str, case: &serde_json::Value| {
            let (status, objects) = json(&["block", "-"], case.to_string());
            assert_eq!(status, 1, "{name}: {what}: {objects:?}");
            let error = objects[0]["error"].as_str().expect("an error").to_owned();
            assert_eq!(objects[0]["ok"], false);
            assert!(error.contains("panicked"), "{name}: {what}: {error}");
        };
        run("a storage value", &with_value);
        for (what, input) in changed {
            let mut case = case.clone();
            case["input"] = input.into();
            run(what, &case);
        }
    }
}

#[test]
fn a_case_without_state_takes_one_and_another_runtime_can_be_tried() {
    let Some(cases) = shared("cases") else { return };
    let whole = cases.join("kusama-1.json").display().to_string();
    let small = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/kusama-1.json");
    let (status, objects) = json(&["block", small, "--state", &whole], "");
    assert_eq!((status, &objects[0]["ok"]), (0, &true.into()));
    let (status, objects) = json(&["block", &whole, "--runtime", &whole], "");
    assert_eq!((status, &objects[0]["ok"]), (0, &true.into()));
    // A runtime that is none of this chain's fails in its own words, or cannot execute at all.
    let other = cases.join("polkadot-1.json").display().to_string();
    let (status, objects) = json(&["block", &whole, "--runtime", &other], "");
    assert_eq!((status, &objects[0]["ok"]), (1, &false.into()));
    // Nothing else is kept from being executed by one case that cannot be read.
    let (status, objects) = json(&["block", "no-such-case.json", &whole], "");
    assert_eq!((status, objects.len(), &objects[1]["ok"]), (2, 2, &true.into()));
    let (status, _) = json(&["block", small], "");
    assert_eq!(status, 2);
}

#[test]
fn the_demo_runs_without_a_network_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    // No npm on the path, nothing cached: as on a machine that is offline.
    heapbase()
        .arg("demo")
        .env("HEAPBASE_CACHE", folder.path())
        .env("PATH", folder.path())
        .assert()
        .code(0)
        .stderr(contains("npm is not installed"))
        .stdout(contains("small ledger").count(3).and(contains("✓").count(3)).and(contains("host calls")))
        .stdout(contains("host (legacy)").and(contains("runtime (v1)")).and(contains("both (local)")))
        .stdout(contains("polkadot").not());
}
