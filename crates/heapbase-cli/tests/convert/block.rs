//! Real blocks on runtimes that are converted in memory.

use super::{Folder, heapbase, json, shared};
use predicates::str::contains;
use serde_json::Value;

const CASES: [&str; 4] =
    ["contracts-child-trie-create-multiple", "contracts-child-trie-create-one", "kusama-1", "polkadot-1"];

#[test]
fn every_case_gives_its_root_under_v1_and_local() {
    let Some(cases) = shared("cases") else { return };
    let files: Vec<_> = CASES.iter().map(|name| cases.join(format!("{name}.json")).display().to_string()).collect();
    let run = |more: &[&str]| {
        let arguments = ["block"].into_iter().chain(files.iter().map(String::as_str)).chain(more.iter().copied());
        let (status, objects) = json(&arguments.collect::<Vec<_>>(), "");
        assert_eq!((status, objects.len()), (0, CASES.len()), "{objects:?}");
        objects
    };
    let count = |object: &Value| object["host_allocations"].as_u64().expect("a number");
    let legacy = run(&[]);
    for (to, more) in [("v1", &[][..]), ("local", &[]), ("local", &["--allocator", "free-list", "--arena", "1M"])] {
        let converted = run(&[&["--to", to], more].concat());
        for (now, before) in converted.iter().zip(&legacy) {
            for key in ["ok", "output", "state_root", "expected_state_root"] {
                assert_eq!(now[key], before[key], "{key} of {} under {to}", now["name"]);
            }
            let allocator = if more.is_empty() { "size-class" } else { "free-list" };
            assert_eq!((&now["spec"], &now["guest_allocator"]), (&to.into(), &allocator.into()));
            if to == "v1" {
                assert_eq!(count(now), 0);
            } else {
                assert!(0 < count(now) && count(now) < count(before), "{now}");
            }
        }
    }
}

#[test]
fn a_flipped_root_fails_under_every_spec() {
    let Some(cases) = shared("cases") else { return };
    for name in CASES {
        let text = std::fs::read_to_string(cases.join(format!("{name}.json"))).expect("the case");
        let mut case: Value = serde_json::from_str(&text).expect("JSON");
        // A header is the parent's hash (32 bytes), the number (1 here), the state root.
        let mut input = hex::decode(case["input"].as_str().expect("an input").trim_start_matches("0x")).expect("hex");
        input[32 + 1 + 5] ^= 1;
        case["input"] = format!("0x{}", hex::encode(input)).into();
        for to in ["v1", "local"] {
            let (status, objects) = json(&["block", "-", "--to", to], case.to_string());
            assert_eq!((status, &objects[0]["ok"]), (1, &false.into()), "{name} under {to}");
            let error = objects[0]["error"].as_str().expect("an error");
            assert!(error.contains("panicked"), "{name} under {to}: {error}");
        }
    }
    // The header as it was, and another root expected: the check on our side.
    let text = std::fs::read_to_string(cases.join("kusama-1.json")).expect("the case");
    let mut case: Value = serde_json::from_str(&text).expect("JSON");
    case["expected_state_root"] = format!("0x{}", "11".repeat(32)).into();
    let (status, objects) = json(&["block", "-", "--to", "local"], case.to_string());
    assert_eq!((status, &objects[0]["ok"]), (1, &false.into()));
    assert!(objects[0]["error"].as_str().expect("an error").contains("expected 0x1111"), "{objects:?}");
}

#[test]
fn a_runtime_given_is_converted_and_what_cannot_be_is_told() {
    let Some(cases) = shared("cases") else { return };
    let case = cases.join("kusama-1.json").display().to_string();
    let (status, objects) = json(&["block", &case, "--runtime", &case, "--to", "local"], "");
    assert_eq!((status, &objects[0]["spec"]), (0, &"local".into()));
    // A runtime that was converted before is executed as what it is, and converted only to something else.
    let folder = Folder::new();
    let local = folder.text("local.wasm");
    heapbase().args(["convert", &case, "--to", "local", "-o", &local]).assert().code(0);
    let (status, objects) = json(&["block", &case, "--runtime", &local], "");
    assert_eq!(
        (status, &objects[0]["spec"], &objects[0]["guest_allocator"]),
        (0, &"local".into(), &"size-class".into())
    );
    let (status, objects) = json(&["block", &case, "--runtime", &local, "--to", "v1"], "");
    assert_eq!((status, &objects[0]["spec"]), (0, &"v1".into()));
    let (status, objects) = json(&["block", &case, "--runtime", &local, "--to", "local"], "");
    assert_eq!(status, 1);
    assert!(objects[0]["error"].as_str().expect("an error").contains("is local already"), "{objects:?}");
    heapbase().args(["block", &case, "--arena", "1M"]).assert().code(2).stderr(contains("--to"));
    heapbase().args(["block", &case, "--to", "v1", "--allocator", "nothing"]).assert().code(2);
}
