//! `verify` finds what was changed, wherever it was changed.

use super::{BUMP, Folder, LEGACY, heapbase, json, real};
use predicates::{prelude::PredicateBooleanExt, str::contains};
use serde_json::Value;

/// Every section: identifier by name, name of a custom one, where its contents lie.
fn sections(wasm: &[u8]) -> Vec<(String, Option<String>, std::ops::Range<usize>)> {
    let report = heapbase_module::inspect(wasm).expect("a module");
    let section = |section: &heapbase_module::inspect::Section| {
        let end = (section.offset + section.size) as usize;
        (section.kind.to_string(), section.name.clone(), section.offset as usize..end)
    };
    report.sections.iter().map(section).collect()
}

#[test]
fn one_bit_in_any_section_is_found_and_the_section_named() {
    let Some(runtime) = real() else { return };
    let folder = Folder::new();
    for spec in ["local", "v1"] {
        let out = folder.text("converted.wasm");
        heapbase().args(["convert", &runtime, "--to", spec, "-o", &out]).assert().code(0);
        let converted = folder.read("converted.wasm");
        let (status, objects) = json(&["verify", &runtime, &out], "");
        assert_eq!((status, &objects[0]["verified"]), (0, &true.into()), "{objects:?}");
        let sections = sections(&converted);
        assert!(sections.len() >= 12, "{sections:?}");
        for (kind, name, range) in &sections {
            let is_record = name.as_deref() == Some("heapbase");
            // The last byte, and for what is not read before it is compared one in the middle.
            for at in [range.end - 1, range.start + range.len() / 2] {
                let mut changed = converted.clone();
                changed[at] ^= 1;
                let (status, objects) = json(&["verify", &runtime, "-"], changed);
                let object = &objects[0];
                assert_eq!((status, &object["verified"]), (1, &false.into()), "{kind} {name:?}: {object}");
                assert!(object["error"].is_string());
                assert_eq!(object["section"], kind.as_str(), "{name:?} at {at:#x}: {object}");
                if let Some(name) = name {
                    assert_eq!(object["section_name"], name.as_str());
                }
                assert!(is_record || object["offset"] == at, "{kind}: {object}, not {at:#x}");
            }
        }
    }
}

#[test]
fn what_is_appended_cut_off_or_left_out_is_found() {
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    let out = folder.text("converted.wasm");
    heapbase().args(["convert", &runtime, "--to", "local", "-o", &out]).assert().code(0);
    let converted = folder.read("converted.wasm");
    let verify = |bytes: &[u8]| json(&["verify", &runtime, "-"], bytes);
    let (status, objects) = verify(&[&converted, &b"\0\x02\x01x"[..]].concat());
    assert_eq!((status, &objects[0]["section_name"], &objects[0]["offset"]), (1, &"x".into(), &converted.len().into()));
    let (kind, _, range) = sections(&converted).into_iter().find(|(kind, ..)| kind == "data").expect("data");
    let without = [&converted[..range.start], &converted[range.end..]].concat();
    assert_eq!((verify(&without).0, kind.as_str()), (1, "data"));
    // Cut off inside of a section, it is no module.
    let (status, objects) = verify(&converted[..range.end - 1]);
    assert_eq!((status, &objects[0]["section"]), (2, &"data".into()), "{objects:?}");
    assert_eq!(verify(b"\x7fELF").0, 2);
}

#[test]
fn the_compressed_form_holds_nothing_else() {
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    let out = folder.text("converted.wasm");
    heapbase().args(["convert", &runtime, "--to", "local", "--compressed", "-o", &out]).assert().code(0);
    let packed = folder.read("converted.wasm");
    let verify = |bytes: &[u8]| json(&["verify", &runtime, "-"], bytes);
    assert_eq!(verify(&packed).0, 0);
    // A frame that decompressors skip, of five bytes, before and behind the module's.
    let skipped = b"\x50\x2a\x4d\x18\x05\0\0\0cargo";
    for with in [[&packed, &skipped[..]].concat(), [&packed[..8], skipped, &packed[8..]].concat()] {
        let (status, objects) = verify(&with);
        assert_eq!((status, &objects[0]["verified"]), (1, &false.into()), "{objects:?}");
        assert!(objects[0]["error"].as_str().is_some_and(|error| error.contains("compressed form")), "{objects:?}");
    }
}

#[test]
fn an_allocators_name_is_recorded_too() {
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    let (own, other) = (folder.module("own.wasm", BUMP), folder.module("other.wasm", BUMP));
    let out = folder.text("converted.wasm");
    heapbase().args(["convert", &runtime, "--to", "local", "--allocator", &own, "-o", &out]).assert().code(0);
    heapbase().args(["verify", &runtime, &out, "--allocator", &own]).assert().code(0);
    heapbase()
        .args(["verify", &runtime, &out, "--allocator", &other])
        .assert()
        .code(1)
        .stderr(contains("calls the allocator `own.wasm`, and `other.wasm` has its bytes"));
    // One of the family needs no file; giving its file does no harm.
    let family = concat!(env!("CARGO_MANIFEST_DIR"), "/../heapbase-module/allocators/free-list.wasm");
    heapbase().args(["convert", &runtime, "--to", "local", "--allocator", "free-list", "-o", &out]).assert().code(0);
    heapbase().args(["verify", &runtime, &out, "--allocator", family]).assert().code(0);
}

#[test]
fn other_options_other_originals_and_what_was_not_converted() {
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    let other = folder.module("other.wasm", &LEGACY.replace("some data", "other dat"));
    let out = folder.text("converted.wasm");
    heapbase().args(["convert", &runtime, "--to", "local", "--arena", "1M", "-o", &out]).assert().code(0);
    // Options are the record's, so another choice of them verifies.
    let (status, objects) = json(&["verify", &runtime, &out], "");
    assert_eq!((status, &objects[0]["arena"], &objects[0]["allocator"]), (0, &(1 << 20).into(), &"size-class".into()));
    let keys: Vec<_> = objects[0].as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = [
        "verified",
        "error",
        "section",
        "section_name",
        "offset",
        "original",
        "converted",
        "to",
        "converter",
        "allocator",
        "allocator_blake2_256",
        "arena",
        "in_place",
        "routines",
    ];
    assert_eq!(keys, expected);
    for (side, file) in [("original", "runtime.wasm"), ("converted", "converted.wasm")] {
        let hash = heapbase_module::Blake2_256::of(&folder.read(file)).to_string();
        assert_eq!(objects[0][side], serde_json::json!({"blake2_256": hash, "blake2_256_compressed": null}));
    }
    // One made by other options does not pass for it: its record says so, and with the record of the other it differs.
    let second = folder.text("second.wasm");
    heapbase().args(["convert", &runtime, "--to", "local", "--arena", "2M", "-o", &second]).assert().code(0);
    let (first, second) = (folder.read("converted.wasm"), folder.read("second.wasm"));
    let record = |wasm: &[u8]| sections(wasm).into_iter().find(|(_, name, _)| name.as_deref() == Some("heapbase"));
    let (ours, theirs) = (record(&first).expect("a record").2, record(&second).expect("a record").2);
    let mixed = [&second[..theirs.start], &first[ours], &second[theirs.end..]].concat();
    let (status, objects) = json(&["verify", &runtime, "-"], mixed);
    assert_eq!((status, &objects[0]["verified"]), (1, &false.into()));
    assert!(objects[0]["section"].is_string() && objects[0]["offset"].is_u64(), "{objects:?}");

    let named = contains("the record names another original").and(contains("section"));
    heapbase().args(["verify", &other, &out]).assert().code(1).stderr(named);
    let unconverted = contains("has no section `heapbase`");
    heapbase().args(["verify", &runtime, &runtime]).assert().code(1).stderr(unconverted);
    heapbase().args(["verify", &runtime, "no-such-file"]).assert().code(2);
    heapbase().args(["verify", &runtime, &out, "--allocator", "no-such-file"]).assert().code(2);
    heapbase().args(["verify", "-", "-"]).write_stdin("").assert().code(2).stderr(contains("standard input is one"));
    let shown = contains("verified: the converted runtime is").and(contains("local, by heapbase"));
    heapbase().args(["verify", &runtime, &out]).assert().code(0).stdout(shown).stderr("");
}

#[test]
fn compressed_forms_are_verified_and_hashed() {
    let Some(runtime) = real() else { return };
    let folder = Folder::new();
    let out = folder.text("converted.wasm");
    heapbase().args(["convert", &runtime, "--to", "v1", "--compressed", "-o", &out]).assert().code(0);
    let (status, objects) = json(&["verify", &runtime, &out], "");
    assert_eq!(status, 0);
    let hash = |bytes: &[u8]| Value::from(heapbase_module::Blake2_256::of(bytes).to_string());
    assert_eq!(objects[0]["original"]["blake2_256_compressed"], hash(&std::fs::read(&runtime).expect("the runtime")));
    assert_eq!(objects[0]["converted"]["blake2_256_compressed"], hash(&folder.read("converted.wasm")));
}
