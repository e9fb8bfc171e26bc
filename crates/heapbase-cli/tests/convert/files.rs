//! What is read, what is written, and when nothing is.

use super::{BUMP, Folder, LEGACY, REFUSED, heapbase, json, real, spec_of};
use predicates::{prelude::PredicateBooleanExt, str::contains};

#[test]
fn all_specs_and_back_over_the_very_file_twice_the_same() {
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    let original = folder.read("runtime.wasm");
    for spec in ["local", "v1"] {
        let (first, second) = (folder.text("first.wasm"), folder.text("second.wasm"));
        for out in [&first, &second] {
            let (status, objects) = json(&["convert", &runtime, "--to", spec, "-o", out], "");
            assert_eq!((status, objects.len()), (0, 1));
            let object = &objects[0];
            assert_eq!((&object["from"], &object["to"]), (&"legacy".into(), &spec.into()));
            assert_eq!(object["allocator"], "size-class");
            assert_eq!(object["bytes_before"], original.len());
            assert_eq!(object["bytes_after"], folder.read("first.wasm").len());
            assert!(object["changes"].as_array().is_some_and(|changes| !changes.is_empty()));
            assert!(object["warnings"].is_array());
            assert_eq!(object["blake2_256"].as_str().map(str::len), Some(66));
            assert_eq!(object["blake2_256_compressed"], serde_json::Value::Null);
        }
        assert_eq!(folder.read("first.wasm"), folder.read("second.wasm"));
        assert_eq!(spec_of(&folder.path("first.wasm")), spec);
        // OUT may be RUNTIME: what is read is read whole before anything is written.
        heapbase().args(["convert", &first, "--to", "legacy", "-o", &first]).assert().code(0);
        assert_eq!(folder.read("first.wasm"), original);
    }
    // A file that is replaced keeps its mode.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder.path("second.wasm"), std::fs::Permissions::from_mode(0o640)).unwrap();
        heapbase().args(["stub", &runtime, "-o", &folder.text("second.wasm")]).assert().code(0);
        let mode = folder.path("second.wasm").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_what_may_only_be_read_stays() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    std::fs::write(folder.path("target.wasm"), "old").unwrap();
    symlink("target.wasm", folder.path("link.wasm")).unwrap();
    heapbase().args(["convert", &runtime, "--to", "local", "-o", &folder.text("link.wasm")]).assert().code(0);
    assert!(folder.path("link.wasm").is_symlink());
    assert_eq!(spec_of(&folder.path("target.wasm")), "local");
    std::fs::write(folder.path("kept.wasm"), "precious").unwrap();
    std::fs::set_permissions(folder.path("kept.wasm"), std::fs::Permissions::from_mode(0o444)).unwrap();
    heapbase()
        .args(["convert", &runtime, "--to", "local", "-o", &folder.text("kept.wasm")])
        .assert()
        .code(2)
        .stderr(contains("may only be read"));
    assert_eq!(folder.read("kept.wasm"), b"precious");
}

#[test]
fn an_option_that_means_nothing_is_refused() {
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    let out = folder.text("out.wasm");
    for (to, option) in [
        ("v1", &["--arena", "1M"][..]),
        ("legacy", &["--arena", "1M"]),
        ("legacy", &["--allocator", "free-list"]),
        ("legacy", &["--no-in-place"]),
        ("legacy", &["--no-routines"]),
    ] {
        let means_nothing = format!("{} means nothing for --to {to}", option[0]);
        let convert = ["convert", &runtime, "--to", to, "-o", &out];
        heapbase().args(convert).args(option).assert().code(2).stderr(contains(means_nothing));
        assert!(!folder.path("out.wasm").exists());
    }
}

#[test]
fn a_program_gets_an_object_also_when_it_fails() {
    let folder = Folder::new();
    let refused = folder.module("refused.wasm", REFUSED);
    let out = folder.text("out.wasm");
    let none = folder.text("none.wasm");
    for (status, arguments) in [
        (1, &["convert", &refused, "--to", "v1", "-o", &out][..]),
        (2, &["convert", &none, "--to", "v1", "-o", &out]),
        (2, &["stub", &none, "-o", &out]),
        (2, &["adapt", &none, "--to", "v1", "-o", &out]),
        (2, &["inspect", &none]),
        (2, &["verify", &none, &refused]),
        (2, &["block", &refused, "--state", &none]),
    ] {
        let (found, objects) = json(arguments, "");
        assert_eq!((found, objects.len()), (status, 1), "{arguments:?}");
        assert_eq!(objects[0]["ok"], false, "{arguments:?}: {objects:?}");
        assert!(objects[0]["error"].as_str().is_some_and(|error| error.contains(".wasm")), "{objects:?}");
    }
}

#[test]
fn nothing_is_written_when_it_fails() {
    let folder = Folder::new();
    let refused = folder.module("refused.wasm", REFUSED);
    let runtime = folder.module("runtime.wasm", LEGACY);
    let (before, legacy) = (folder.read("refused.wasm"), folder.read("runtime.wasm"));
    for spec in ["v1", "local"] {
        heapbase()
            .args(["convert", &refused, "--to", spec, "-o", &refused])
            .assert()
            .code(1)
            .stdout("")
            .stderr(contains("is not converted").and(contains("brings an allocator of its own")));
        assert_eq!(folder.read("refused.wasm"), before);
    }
    let wide = folder.module("wide.wasm", r#"(module (import "a" "g" (global (ref func))))"#);
    let before = folder.read("wide.wasm");
    heapbase().args(["stub", &wide, "-o", &wide]).assert().code(1).stdout("").stderr(contains("`a.g` is of type"));
    assert_eq!(folder.read("wide.wasm"), before);
    // A folder that is not there, or is a file.
    for out in [folder.text("no/such/out.wasm"), format!("{refused}/out.wasm")] {
        for command in [&["convert", &runtime, "--to", "local"][..], &["stub", &runtime]] {
            heapbase().args(command).args(["-o", &out]).assert().code(2).stderr(contains("cannot write"));
        }
    }
    assert_eq!(folder.read("runtime.wasm"), legacy);
    // An unreadable runtime leaves an existing result alone.
    std::fs::write(folder.path("out.wasm"), "precious").unwrap();
    for command in ["convert", "stub"] {
        let to: &[&str] = if command == "convert" { &["--to", "v1"] } else { &[] };
        let run = |input: &[u8]| {
            heapbase().args([command, "-"]).args(to).args(["-o", &folder.text("out.wasm")]).write_stdin(input).assert()
        };
        run(b"\x7fELF").code(2).stderr(contains("native program"));
        run(b"\0asm\x01\0\0\0\x01\x09").code(1).stderr(contains("offset"));
        assert_eq!(folder.read("out.wasm"), b"precious");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "no temporary file is left: {left:?}");
    heapbase().args(["convert", &runtime, "--to", "elsewhere", "-o", "-"]).assert().code(2);
    heapbase().args(["convert", &runtime, "--to", "local"]).assert().code(2).stderr(contains("--out"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_to_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    std::fs::create_dir(folder.path("closed")).unwrap();
    std::fs::write(folder.path("closed/out.wasm"), "precious").unwrap();
    std::fs::set_permissions(folder.path("closed"), std::fs::Permissions::from_mode(0o555)).unwrap();
    let may_anyway = std::fs::write(folder.path("closed/probe"), "").is_ok();
    // The superuser may write everywhere; a file system of the kernel's own stands in.
    let out = if may_anyway { "/proc/heapbase.wasm".to_owned() } else { folder.text("closed/out.wasm") };
    heapbase()
        .args(["convert", &runtime, "--to", "local", "-o", &out])
        .assert()
        .code(2)
        .stderr(contains("cannot write"));
    if !may_anyway {
        assert_eq!(folder.read("closed/out.wasm"), b"precious");
    }
    std::fs::set_permissions(folder.path("closed"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn standard_input_and_output_and_the_compressed_form() {
    let folder = Folder::new();
    let wasm = wat::parse_str(LEGACY).unwrap();
    let packed = heapbase_module::blob::compress(&wasm).unwrap();
    let convert = |input: &[u8], more: &[&str]| {
        let arguments = ["convert", "-", "--to", "local", "-o", "-"];
        let output = heapbase().args(arguments).args(more).write_stdin(input).assert().code(0).get_output().clone();
        (output.stdout, String::from_utf8(output.stderr).unwrap())
    };
    let (raw, said) = convert(&wasm, &[]);
    assert!(raw.starts_with(b"\0asm") && said.contains("legacy → local"), "{said}");
    assert_eq!(convert(&packed, &[]).0, raw, "the form of the input does not matter");
    let (compressed, report) = convert(&packed, &["--compressed", "--json"]);
    let blob = heapbase_module::Blob::read(&compressed).unwrap();
    assert!(blob.is_compressed());
    assert_eq!(blob.wasm(), raw);
    let report: serde_json::Value = serde_json::from_str(report.trim()).unwrap();
    assert_eq!(report["blake2_256"], blob.blake2_256().to_string());
    assert_eq!(report["blake2_256_compressed"], blob.blake2_256_compressed().unwrap().to_string());
    let before = heapbase_module::Blob::read(&packed).unwrap();
    assert_eq!(report["original_blake2_256"], before.blake2_256().to_string());
    assert_eq!(report["original_blake2_256_compressed"], before.blake2_256_compressed().unwrap().to_string());

    let stub = heapbase().args(["stub", "-", "--policy", "zero", "-o", "-"]).write_stdin(packed).assert().code(0);
    let stub = stub.get_output().stdout.clone();
    assert!(heapbase_module::inspect(&stub).unwrap().imports.is_empty());
    let runtime = folder.module("runtime.wasm", LEGACY);
    let (status, objects) = json(&["stub", &runtime, "--compressed", "-o", &folder.text("stub.wasm")], "");
    assert_eq!((status, &objects[0]["to"]), (0, &"stub".into()));
    assert_eq!(objects[0]["changes"].as_array().map(Vec::len), Some(2), "{objects:?}");
    let written = folder.read("stub.wasm");
    assert!(heapbase_module::Blob::read(&written).unwrap().is_compressed());
}

#[test]
fn a_real_runtime_converts_and_runs() {
    let Some(runtime) = real() else { return };
    let folder = Folder::new();
    let (_, expected) = json(&["call", &runtime, "Core_version"], "");
    for (spec, allocator) in [
        ("local", "size-class"),
        ("v1", "free-list"),
        ("v1", "leaking"),
        ("local", "freeing-bump"),
        ("local", "leaking-page"),
    ] {
        let out = folder.text("out.wasm");
        let arguments = ["convert", &runtime, "--to", spec, "--allocator", allocator, "--compressed", "-o", &out];
        heapbase().args(arguments).assert().code(0);
        let (status, objects) = json(&["call", &out, "Core_version"], "");
        assert_eq!((status, &objects[0]["output"]), (0, &expected[0]["output"]), "{spec} {allocator}");
        assert_eq!((&objects[0]["spec"], &objects[0]["guest_allocator"]), (&spec.into(), &allocator.into()));
        let (_, reports) = json(&["inspect", &out], "");
        let conversion = &reports[0]["conversion"];
        assert_eq!((&conversion["to"], &conversion["allocator"]), (&spec.into(), &allocator.into()));
        assert_eq!(conversion["converter"], env!("CARGO_PKG_VERSION"));
        let arena = if spec == "local" { heapbase_module::convert::DEFAULT_ARENA } else { 0 };
        assert_eq!(conversion["arena"], arena);
    }
    assert_eq!((&expected[0]["spec"], &expected[0]["guest_allocator"]), (&"legacy".into(), &serde_json::Value::Null));
    let shown = contains("to local by heapbase").and(contains("leaking-page 0x"));
    heapbase().args(["inspect", &folder.text("out.wasm")]).assert().code(0).stdout(shown);
}

#[test]
fn an_allocator_of_the_users_own_is_merged() {
    let folder = Folder::new();
    let (runtime, bump) = (folder.module("runtime.wasm", LEGACY), folder.module("bump.wasm", BUMP));
    let (_, expected) = json(&["call", &runtime, "Core_version"], "");
    assert_eq!(expected[0]["output"], "0x8877665544332211");
    let out = folder.text("out.wasm");
    for spec in ["local", "v1"] {
        heapbase().args(["convert", &runtime, "--to", spec, "--allocator", &bump, "-o", &out]).assert().code(0);
        let (status, objects) = json(&["call", &out, "Core_version", "--input", "0x0102"], "");
        assert_eq!((status, &objects[0]["output"]), (0, &expected[0]["output"]), "{spec}: {objects:?}");
        assert_eq!((&objects[0]["spec"], &objects[0]["guest_allocator"]), (&spec.into(), &"bump.wasm".into()));
        // Others verify it with the allocator at hand.
        heapbase().args(["verify", &runtime, &out, "--allocator", &bump]).assert().code(0);
        let missing = contains("name its file with --allocator");
        heapbase().args(["verify", &runtime, &out]).assert().code(1).stderr(missing);
    }
}

#[test]
fn wrong_allocators_are_refused_with_the_reason() {
    let folder = Folder::new();
    let runtime = folder.module("runtime.wasm", LEGACY);
    let out = folder.text("out.wasm");
    let refused = |allocator: &str, reason: &str| {
        heapbase()
            .args(["convert", &runtime, "--to", "local", "--allocator", allocator, "-o", &out])
            .assert()
            .code(2)
            .stderr(contains(reason));
        assert!(!folder.path("out.wasm").exists());
    };
    let without = |text: &str, with: &str| {
        assert!(BUMP.contains(text), "{text}");
        folder.module("wrong.wasm", &BUMP.replace(text, with))
    };
    refused("no-such-allocator", "one of size-class, free-list, freeing-bump, leaking, leaking-page, or the path");
    std::fs::write(folder.path("text"), "no module").unwrap();
    refused(&folder.text("text"), "is not a module of WebAssembly 1.0");
    refused(&without(r#"(export "free")"#, ""), "does not export the function `free`");
    refused(&without(r#"(export "alloc")"#, r#"(export "malloc")"#), "does not export the function `alloc`");
    refused(&without(r#""free") (param $block i32)"#, r#""free") (param $block i64)"#), "exports `free` as");
    refused(&without("(i32.const 16))\n", "(i32.add (i32.const 8) (i32.const 8)))\n"), "not one `i32.const`");
    refused(&without("(result i32) (i32.const 16)", "(result i32) (i32.const 16000000)"), "of state");
    refused(&without(r#""heapbase" "state""#, r#""env" "ext_logging_max_level_version_1""#), "imports the function");
    let end = "(func (export \"free\") (param $block i32)))";
    let with_global = format!("(global $g (mut i32) (i32.const 0)) (func (global.set $g (i32.const 1))) {end}");
    refused(&without(end, &with_global), "uses a global");
    let own = BUMP.replace(r#"(import "env" "memory" (memory 0))"#, "").replace(end, &format!("(memory 1) {end}"));
    refused(&folder.module("own.wasm", &own), "it has to import `env.memory`");
    refused(&without(end, &format!("(func $s) (start $s) {end}")), "start function");
    refused(&without(end, &format!("(data (i32.const 0) \"x\") {end}")), "has data");
    let grows = format!("(func (drop (memory.grow (i32.const 1)))) {end}");
    refused(&without(end, &grows), "`heapbase.grow` does so");
}

#[test]
fn an_input_may_be_given_back_also_an_empty_one() {
    let folder = Folder::new();
    let free = "(call $ext_allocator_free_version_1 (local.get 0)) (local.set $block";
    let runtime = folder.module("runtime.wasm", &LEGACY.replacen("(local.set $block", free, 1));
    for to in ["v1", "local"] {
        for allocator in ["size-class", "free-list", "freeing-bump"] {
            let out = folder.text("out.wasm");
            heapbase().args(["convert", &runtime, "--to", to, "--allocator", allocator, "-o", &out]).assert().code(0);
            for input in ["", "0x0011223344556677"] {
                let call = |file: &str| {
                    let (status, objects) = json(&["call", file, "Core_version", "--input", input], "");
                    assert_eq!(status, 0, "{file} {to} {allocator}: {objects:?}");
                    objects[0]["output"].clone()
                };
                assert_eq!(call(&out), call(&runtime), "{to} {allocator} {input}");
            }
        }
    }
}

#[test]
fn the_largest_request_is_served_by_every_allocator() {
    let folder = Folder::new();
    // It frees as the allocator of newer sp-io does, so eight bytes come on top.
    let (free, large) = (
        "(call $ext_allocator_free_version_1 (call",
        "(local.set $block (call $ext_allocator_malloc_version_1 (i32.const 8)))",
    );
    let text = LEGACY.replacen(large, &format!("(drop (call $ext_allocator_malloc_version_1 (i32.const 0x2000000))) {large}"), 1).replacen(
        free,
        "(call $ext_allocator_free_version_1 (i32.sub (local.get $block) (i32.load16_u align=1 (i32.sub (local.get $block) (i32.const 2)))))
         (local.set $block (call $ext_allocator_malloc_version_1 (i32.const 8))) (i64.store (local.get $block) (i64.const 7)) (drop (call",
        1,
    );
    let runtime = folder.module("runtime.wasm", &text);
    let call = |file: &str| {
        let (status, objects) = json(&["call", file, "Core_version"], "");
        assert_eq!(status, 0, "{file}: {objects:?}");
        objects[0]["output"].clone()
    };
    for to in ["v1", "local"] {
        for allocator in ["size-class", "free-list", "freeing-bump", "leaking", "leaking-page"] {
            let out = folder.text("out.wasm");
            let arguments = ["convert", &runtime, "--to", to, "--allocator", allocator, "-o", &out];
            heapbase().args(arguments).assert().code(0).stdout(contains("8 bytes more in front of it"));
            assert_eq!(call(&out), call(&runtime), "{to} {allocator}");
        }
    }
}
