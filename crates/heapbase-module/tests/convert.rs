//! What conversion does with each part of a module, and what it refuses. How converted modules behave is `differential`'s matter.

use heapbase_module::{
    Spec,
    convert::{Allocator, Conversion, ConvertError, Family, Options, convert},
    inspect,
    record::{Record, SECTION},
    verify::verify,
};
use std::fmt::Write;

#[path = "convert/arena.rs"]
mod arena;
#[path = "convert/front.rs"]
mod front;
#[path = "convert/grow.rs"]
mod grow;
#[path = "convert/records.rs"]
mod records;
#[path = "convert/tampered.rs"]
mod tampered;

const TO: [Spec; 2] = [Spec::V1, Spec::Local];

const MALLOC: &str = r#"(import "env" "ext_allocator_malloc_version_1" (func $malloc (@name "ext_allocator_malloc_version_1") (param i32) (result i32)))"#;
const FREE: &str =
    r#"(import "env" "ext_allocator_free_version_1" (func $free (@name "ext_allocator_free_version_1") (param i32)))"#;
const MEMORY: &str = r#"(import "env" "memory" (memory 17))"#;
const BASE: &str = r#"(global $base (export "__heap_base") i32 (i32.const 1048576))"#;
const ENTRY: &str = r#"(func $entry (export "Core_version") (param i32 i32) (result i64)
    (i64.extend_i32_u (call $malloc (i32.const 8))))"#;

/// A module of some text, which may be invalid.
fn module(parts: &[&str]) -> Vec<u8> {
    let text = format!("(module {})", parts.join("\n"));
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn done(wasm: &[u8], to: Spec) -> Conversion {
    convert(wasm, &Options::new(to)).unwrap_or_else(|error| panic!("to {to}: {error}"))
}

fn refused(wasm: &[u8], to: Spec) -> String {
    match convert(wasm, &Options::new(to)) {
        Ok(done) => panic!("converted to {to}: {:?}", done.changes),
        Err(error @ ConvertError::Result { .. }) => panic!("to {to}: {error}"),
        Err(error) => error.to_string(),
    }
}

/// Converts to both and back, and verifies. `true` if the original came back byte for byte.
fn there_and_back(wasm: &[u8]) -> bool {
    let mut same = true;
    for to in TO {
        let there = done(wasm, to);
        assert_eq!(inspect(&there.wasm).expect("it can be read").spec, to);
        verify(wasm, &there.wasm, None).expect("it verifies");
        assert_eq!(done(wasm, to).wasm, there.wasm, "the same bytes every time");
        let back = done(&there.wasm, Spec::Legacy);
        same &= back.wasm == wasm;
        assert_eq!(done(&back.wasm, to).record.map(|record| record.to), Some(to));
        // Straight from one to the other.
        let other = if to == Spec::V1 { Spec::Local } else { Spec::V1 };
        assert_eq!(inspect(&done(&there.wasm, other).wasm).expect("it can be read").spec, other);
    }
    same
}

/// Whole modules that are converted and come back as they were.
const KEPT: &[(&str, &[&str])] = &[
    ("memory imported", &[MEMORY, MALLOC, FREE, BASE, ENTRY]),
    ("memory first or last", &[MALLOC, FREE, MEMORY, BASE, ENTRY]),
    ("memory exported", &[MALLOC, FREE, r#"(memory (export "memory") 17)"#, BASE, ENTRY]),
    ("memory both", &[MALLOC, FREE, MEMORY, r#"(export "memory" (memory 0))"#, BASE, ENTRY]),
    ("a maximum", &[MALLOC, FREE, r#"(import "env" "memory" (memory 17 100))"#, BASE, ENTRY]),
    ("a maximum of no more", &[MALLOC, FREE, r#"(import "env" "memory" (memory 17 17))"#, BASE, ENTRY]),
    ("no memory to spare", &[MALLOC, FREE, r#"(import "env" "memory" (memory 1))"#, BASE, ENTRY]),
    ("only malloc", &[MALLOC, MEMORY, BASE, ENTRY]),
    (
        "other imports between",
        &[
            r#"(import "env" "a" (func $a (param i64)))"#,
            r#"(import "env" "t" (table 3 funcref))"#,
            FREE,
            r#"(import "env" "g" (global $g i32))"#,
            MEMORY,
            r#"(import "other" "ext_allocator_malloc_version_1" (func (param i64)))"#,
            MALLOC,
            r#"(import "env" "b" (func $b))"#,
            BASE,
            ENTRY,
            "(func (call $a (i64.const 1)) (call $b) (call $free (global.get $g)))",
        ],
    ),
    (
        "an import twice",
        &[
            MALLOC,
            FREE,
            MEMORY,
            r#"(import "env" "ext_allocator_malloc_version_1" (func $again (@name "ext_allocator_malloc_version_1") (param i32) (result i32)))"#,
            BASE,
            ENTRY,
        ],
    ),
    (
        "imports exported again",
        &[MALLOC, FREE, MEMORY, BASE, ENTRY, r#"(export "m" (func $malloc)) (export "f" (func $free))"#],
    ),
    ("a start function", &[MALLOC, FREE, MEMORY, BASE, ENTRY, "(func $s (call $free (i32.const 8))) (start $s)"]),
    (
        "elements of all kinds",
        &[
            MALLOC,
            FREE,
            MEMORY,
            BASE,
            ENTRY,
            "(table $t 9 funcref)",
            "(elem (i32.const 1) func $malloc $entry $free)",
            "(elem (table $t) (i32.const 4) funcref (ref.func $malloc) (ref.null func))",
            "(elem func $free $entry)",
            "(elem declare func $malloc)",
            "(func (result funcref) (ref.func $malloc))",
            "(global funcref (ref.func $free))",
        ],
    ),
    (
        "tail calls",
        &[MALLOC, FREE, MEMORY, BASE, ENTRY, "(func (param i32) (result i32) (return_call $malloc (local.get 0)))"],
    ),
    (
        "a variable that nobody sets",
        &[MALLOC, MEMORY, r#"(global (export "__heap_base") (mut i32) (i32.const 1048576))"#, ENTRY],
    ),
    ("two names for the base", &[MALLOC, MEMORY, BASE, r#"(export "__data_end" (global $base))"#, ENTRY]),
    ("no base", &[MALLOC, MEMORY, "(global (mut i32) (i32.const 1))", ENTRY]),
    (
        "a base that is only 4-aligned",
        &[MALLOC, MEMORY, r#"(global (export "__heap_base") i32 (i32.const 1048572))"#, ENTRY],
    ),
    (
        "data above the base",
        &[MALLOC, MEMORY, BASE, ENTRY, r#"(data (i32.const 1048570) "data past the heap's beginning")"#],
    ),
    ("data in the base's page", &[MALLOC, MEMORY, BASE, ENTRY, r#"(data (i32.const 1048570) "data")"#]),
    (
        "passive data",
        &[
            MALLOC,
            MEMORY,
            BASE,
            ENTRY,
            r#"(data "nowhere") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 3)))"#,
        ],
    ),
    (
        "its own growing",
        &[MALLOC, MEMORY, BASE, ENTRY, "(func (result i32) (i32.add (memory.size) (memory.grow (i32.const 1))))"],
    ),
    (
        "floating point bits",
        &[
            MALLOC,
            MEMORY,
            BASE,
            "(global f32 (f32.const nan:0x200001)) (global f64 (f64.const -nan:0x4000000000001))",
            ENTRY,
        ],
    ),
    (
        "unknown sections",
        &[
            MALLOC,
            MEMORY,
            BASE,
            ENTRY,
            r#"(@custom "runtime_version" (before first) "\00\01\02") (@custom "runtime_apis" "\ff") (@custom "other" (after code) "x")"#,
        ],
    ),
];

#[test]
fn what_is_converted_comes_back() {
    for (name, parts) in KEPT {
        assert!(there_and_back(&module(parts)), "{name} comes back with other bytes");
    }
}

#[test]
fn what_comes_back_with_other_bytes() {
    // A constant that is written as a sum, or as another global, comes back as its value.
    for base in [
        r#"(global (export "__heap_base") i32 (i32.add (i32.const 1048560) (i32.const 16)))"#,
        r#"(global $end i32 (i32.const 1048576)) (global (export "__heap_base") i32 (global.get $end))"#,
    ] {
        assert!(!there_and_back(&module(&[MALLOC, MEMORY, base, ENTRY])));
        let local = done(&module(&[MALLOC, MEMORY, base, ENTRY]), Spec::Local);
        assert_eq!(local.record.and_then(|record| record.undo).and_then(|undo| undo.heap_base), Some(1_048_576));
    }
    // Debugging information goes: the places in the code that it speaks of have moved.
    let debug = r#"(@custom ".debug_info" "1234") (@custom "sourceMappingURL" "5")"#;
    let wasm = module(&[MALLOC, MEMORY, BASE, ENTRY, debug]);
    assert!(!there_and_back(&wasm));
    let said = done(&wasm, Spec::V1).changes.join("\n");
    assert!(said.contains("`.debug_info`") && said.contains("`sourceMappingURL`"), "{said}");
}

#[test]
fn other_sections_byte_for_byte() {
    let custom =
        r#"(@custom "runtime_version" "\00version\ff") (@custom "runtime_apis" "apis") (@custom "odd" "\80\80\80")"#;
    let wasm = module(&[MALLOC, FREE, MEMORY, BASE, ENTRY, custom]);
    for to in TO {
        let after = done(&wasm, to).wasm;
        for (name, contents) in
            [("runtime_version", &b"\0version\xff"[..]), ("runtime_apis", b"apis"), ("odd", b"\x80\x80\x80")]
        {
            assert_eq!(section(&after, name).as_deref(), Some(contents), "{name} as {to}");
        }
        let producers = section(&after, "producers").expect("it says who made it");
        assert!(producers.windows(8).any(|window| window == b"heapbase"));
    }
}

fn section(wasm: &[u8], name: &str) -> Option<Vec<u8>> {
    wasmparser::Parser::new(0).parse_all(wasm).map_while(Result::ok).find_map(|payload| match payload {
        wasmparser::Payload::CustomSection(section) if section.name() == name => Some(section.data().to_vec()),
        _ => None,
    })
}

/// Function names by index.
fn names(wasm: &[u8]) -> Vec<(u32, String)> {
    let Some(contents) = section(wasm, "name") else { return Vec::new() };
    let reader = wasmparser::NameSectionReader::new(wasmparser::BinaryReader::new(&contents, 0));
    reader
        .into_iter()
        .map_while(Result::ok)
        .filter_map(|name| match name {
            wasmparser::Name::Function(map) => Some(map),
            _ => None,
        })
        .flatten()
        .map_while(Result::ok)
        .map(|naming| (naming.index, naming.name.to_owned()))
        .collect()
}

#[test]
fn names_follow_their_functions() {
    // The import's parameter has a name as well: it must not cost all the others theirs.
    let named = r#"(import "env" "ext_allocator_malloc_version_1" (func $malloc (param $size i32) (result i32)))"#;
    let wasm = module(&[named, FREE, MEMORY, BASE, ENTRY, "(func $last (param $a i32) (local $b i32))"]);
    let find =
        |wasm: &[u8], name: &str| names(wasm).into_iter().find(|(_, found)| found == name).map(|(index, _)| index);
    assert_eq!([find(&wasm, "entry"), find(&wasm, "last")], [Some(2), Some(3)]);
    let v1 = done(&wasm, Spec::V1).wasm;
    assert_eq!([find(&v1, "entry"), find(&v1, "last")], [Some(0), Some(1)]);
    assert!(find(&v1, "heapbase::malloc").is_some());
    let local = done(&wasm, Spec::Local).wasm;
    assert_eq!([find(&local, "entry"), find(&local, "last"), find(&local, "malloc")], [Some(2), Some(3), Some(0)]);
}

fn names_of_sections(wasm: &[u8]) -> Vec<String> {
    inspect(wasm).expect("it can be read").sections.iter().filter_map(|section| section.name.clone()).collect()
}

#[test]
fn broken_names_and_producers() {
    let broken = ["\\01\\7f", "\\01\\05\\02\\00\\01a", "\\ff\\ff\\ff\\ff\\ff\\ff", ""];
    for contents in broken {
        for name in ["name", "producers"] {
            let wasm = module(&[
                MALLOC,
                MEMORY,
                BASE,
                ENTRY.replace("$entry ", "").as_str(),
                &format!(r#"(@custom "{name}" "{contents}")"#),
            ]);
            for to in TO {
                let after = done(&wasm, to);
                done(&after.wasm, Spec::Legacy);
                let kept = names_of_sections(&after.wasm).contains(&name.to_owned());
                let said = after.changes.iter().any(|change| change.contains("dropped the custom section `name`"));
                assert_eq!(said, name == "name" && !kept, "{contents}");
            }
        }
    }
}

/// Modules that are refused, and the specs that they are refused under.
fn refusals() -> Vec<(&'static str, Vec<Spec>, Vec<u8>)> {
    let both = || TO.to_vec();
    let base = |init: &str| format!(r#"(global (export "__heap_base") {init})"#);
    vec![
        (
            "only free",
            vec![Spec::Local],
            module(&[FREE, MEMORY, BASE, "(func (export \"e\") (call $free (i32.const 8)))"]),
        ),
        (
            "another signature of malloc",
            both(),
            module(&[
                r#"(import "env" "ext_allocator_malloc_version_1" (func (param i64) (result i32)))"#,
                MEMORY,
                BASE,
                "(func (export \"e\"))",
            ]),
        ),
        (
            "another signature of free",
            both(),
            module(&[
                MALLOC,
                r#"(import "env" "ext_allocator_free_version_1" (func (param i32 i32)))"#,
                MEMORY,
                BASE,
                ENTRY,
            ]),
        ),
        ("a base of another type", both(), module(&[MALLOC, MEMORY, &base("i64 (i64.const 1048576)"), ENTRY])),
        ("types in a group", both(), module(&["(rec (type (func)) (type (func)))", MALLOC, MEMORY, BASE, ENTRY])),
        ("a base that is a function", both(), module(&[MALLOC, MEMORY, r#"(func (export "__heap_base"))"#, ENTRY])),
        (
            "a base that is imported",
            both(),
            module(&[MALLOC, MEMORY, r#"(import "env" "g" (global i32)) (export "__heap_base" (global 0))"#, ENTRY]),
        ),
        (
            "a base that is computed",
            both(),
            module(&[MALLOC, MEMORY, r#"(import "env" "g" (global i32))"#, &base("i32 (global.get 0)"), ENTRY]),
        ),
        (
            "a base that the code sets",
            both(),
            module(&[
                MALLOC,
                MEMORY,
                &base("(mut i32) (i32.const 1048576)"),
                ENTRY,
                "(func (global.set 0 (i32.const 1)))",
            ]),
        ),
        ("no base and no globals", vec![Spec::Local], module(&[MALLOC, MEMORY, ENTRY])),
        ("no memory", both(), module(&[MALLOC, BASE, ENTRY])),
        ("two memories", both(), module(&[MALLOC, MEMORY, "(memory 1)", BASE, ENTRY])),
        ("a shared memory", both(), module(&[MALLOC, r#"(import "env" "memory" (memory 17 20 shared))"#, BASE, ENTRY])),
        ("a 64-bit memory", both(), module(&[MALLOC, r#"(import "env" "memory" (memory i64 17))"#, BASE, ENTRY])),
        ("no functions", both(), module(&[MEMORY, BASE])),
        ("no exports", both(), module(&[MALLOC, MEMORY, "(func)"])),
        (
            "a dynamic library",
            both(),
            module(&[MALLOC, MEMORY, BASE, ENTRY, r#"(@custom "dylink.0" (before first) "")"#]),
        ),
        (
            "data at an address that is imported",
            both(),
            module(&[r#"(import "env" "g" (global i32))"#, MALLOC, MEMORY, BASE, ENTRY, "(data (global.get 0) \"x\")"]),
        ),
        ("v1's names taken", vec![Spec::V1], module(&[MALLOC, MEMORY, BASE, ENTRY, r#"(func (export "dealloc"))"#])),
        ("v1 already", both(), module(&[MEMORY, BASE, r#"(func (export "v1"))"#])),
        ("legacy already", vec![Spec::Legacy], module(&[MALLOC, MEMORY, BASE, ENTRY])),
        ("a base near the end", both(), module(&[MALLOC, MEMORY, &base("i32 (i32.const -65536)"), ENTRY])),
        ("a component", both(), wat::parse_str("(component)").expect("text")),
        ("nothing", both(), Vec::new()),
        ("a section that is no record", both(), module(&[MALLOC, MEMORY, BASE, ENTRY, r#"(@custom "heapbase" "{")"#])),
        (
            "a record of nothing to undo",
            vec![Spec::Legacy],
            module(&[MALLOC, MEMORY, BASE, ENTRY, r#"(@custom "heapbase" "{\22to\22:\22local\22}")"#]),
        ),
    ]
}

#[test]
fn what_is_refused_and_how() {
    let mut text = String::new();
    for (name, specs, wasm) in refusals() {
        for to in specs {
            writeln!(text, "{name}, to {to}:\n  {}", refused(&wasm, to)).expect("text");
        }
    }
    let mut options = Options::new(Spec::Local);
    let plain = module(&[MALLOC, FREE, MEMORY, BASE, ENTRY]);
    for arena in [0, 4096] {
        options.arena = arena;
        let error = convert(&plain, &options).expect_err("refused").to_string();
        // The least arena depends on the size of the allocator's state.
        let error = error.split_once("needs at least").map_or(&*error, |(before, _)| before);
        writeln!(text, "an arena of {arena}:\n  {}", error.trim()).expect("text");
    }
    let large = module(&[MALLOC, FREE, &MEMORY.replace("17", "65400"), BASE, ENTRY]);
    writeln!(text, "a large memory:\n  {}", refused(&large, Spec::Local)).expect("text");
    insta::assert_snapshot!("refusals", text);
}

/// Where things lie depends on the size of an allocator's state.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "0x…" + part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()))
}

#[test]
fn what_it_says_it_did() {
    let shims = "(func $malloc_shim (param i32) (result i32) local.get 0 call $malloc)";
    let plain = module(&[MALLOC, FREE, MEMORY, BASE, shims, ENTRY.replace("$malloc", "$malloc_shim").as_str()]);
    let mut text = String::new();
    for to in TO {
        let done = done(&plain, to);
        writeln!(text, "{to}:\n  {}\n  {}", done.changes.join("\n  "), done.warnings.join("\n  ")).expect("text");
        let back = convert(&done.wasm, &Options::new(Spec::Legacy)).expect("back");
        writeln!(text, "{to} and back:\n  {}", back.changes.join("\n  ")).expect("text");
    }
    let bare = module(&[MALLOC, r#"(memory (export "memory") 3000)"#, "(global (mut i32) (i32.const 1))", ENTRY]);
    let done = done(&bare, Spec::Local);
    writeln!(text, "without a base:\n  {}\n  {}", done.changes.join("\n  "), done.warnings.join("\n  ")).expect("text");
    insta::assert_snapshot!("changes", without_addresses(&text));
}

#[test]
fn a_collector_that_reads_what_it_freed() {
    let producers = r#"(@producers (processed-by "TinyGo" "0.31.0"))"#;
    let wasm = module(&[MALLOC, FREE, MEMORY, BASE, ENTRY, producers]);
    for to in TO {
        let fitting = done(&wasm, to);
        assert_eq!(fitting.warnings, Vec::<String>::new());
        assert_eq!(fitting.record.expect("it is recorded").allocator, "freeing-bump");
        let mut options = Options::new(to);
        options.allocator = Allocator::Family(Family::SizeClass);
        let warnings = convert(&wasm, &options).expect("it is converted").warnings;
        assert!(warnings.iter().any(|warning| warning.contains("--allocator freeing-bump")));
    }
}

#[test]
fn every_beginning_of_a_module() {
    let wasm = module(KEPT.iter().find(|(name, _)| *name == "elements of all kinds").expect("it is there").1);
    for to in TO {
        for length in 0..wasm.len() {
            // A section that is left out may leave a module that is whole.
            if let Err(error) = convert(&wasm[..length], &Options::new(to)) {
                assert!(
                    !error.to_string().is_empty() && !matches!(error, ConvertError::Result { .. }),
                    "{length}: {error}"
                );
            }
        }
        let there = done(&wasm, to).wasm;
        for length in 0..there.len() {
            let _ = convert(&there[..length], &Options::new(Spec::Legacy));
        }
    }
}

#[test]
fn an_empty_memory_section_stays_no_memory() {
    // Magic and version, then sections up to the imports; an empty memory section; the rest.
    let wasm = module(&[MALLOC, MEMORY, BASE, ENTRY]);
    let globals = wasmparser::Parser::new(0)
        .parse_all(&wasm)
        .map_while(Result::ok)
        .find_map(|payload| match payload {
            wasmparser::Payload::GlobalSection(reader) => Some(reader.range().start as usize - 2),
            _ => None,
        })
        .expect("it has globals");
    let odd = [&wasm[..globals], &[5, 1, 0], &wasm[globals..]].concat();
    wasmparser::validate(&odd).expect("it is valid");
    for to in TO {
        let after = done(&odd, to).wasm;
        assert_eq!(inspect(&after).expect("it can be read").memory.map(|memory| memory.max), Some(None), "{to}");
        let memories =
            wasmparser::Parser::new(0).parse_all(&after).map_while(Result::ok).filter_map(|payload| match payload {
                wasmparser::Payload::MemorySection(reader) => Some(reader.count()),
                _ => None,
            });
        assert_eq!(memories.sum::<u32>(), 0, "{to}");
    }
}

#[test]
fn a_base_above_the_memory() {
    // The host would have grown the memory to there.
    let base = r#"(global (export "__heap_base") i32 (i32.const 5000000))"#;
    let wasm = module(&[MALLOC, MEMORY, base, ENTRY]);
    let local = done(&wasm, Spec::Local);
    let memory = inspect(&local.wasm).expect("it can be read").memory.expect("it has one");
    // As many bytes as before, and the arena.
    assert!(memory.min >= 17 + u64::from(heapbase_module::convert::DEFAULT_ARENA) / 65_536, "{} pages", memory.min);
    let base = inspect(&local.wasm).expect("it can be read").heap_base.expect("it has one");
    assert!((5_000_000..5_008_192).contains(&base), "{base}");
}

#[test]
fn many_direct_calls_in_a_small_module() {
    let calls = "(drop (call $malloc (i32.const 1))) (call $free (i32.const 8))".repeat(600);
    for functions in [1, 40, 130, 300] {
        let more = "(func)".repeat(functions);
        let shim = "(func $free_shim (param i32) local.get 0 call $free)";
        for shim in ["", shim] {
            assert!(there_and_back(&module(&[
                MALLOC,
                FREE,
                MEMORY,
                BASE,
                &more,
                shim,
                ENTRY,
                &format!("(func {calls})")
            ])));
        }
    }
    // Free is called by its shim alone, malloc from everywhere.
    let calls = "(drop (call $malloc (i32.const 1)))".repeat(600);
    let more = "(func (call $free_shim (i32.const 8)) (call $entry (i32.const 0) (i32.const 0)) drop)".repeat(200);
    let shim = "(func $free_shim (param i32) local.get 0 call $free)";
    assert!(there_and_back(&module(&[MALLOC, FREE, MEMORY, BASE, shim, ENTRY, &more, &format!("(func {calls})")])));
}

#[test]
fn allocator_modules_of_others() {
    let good = r#"(module (import "env" "memory" (memory 1)) (import "heapbase" "state" (func $state (result i32)))
        (import "heapbase" "end" (func (result i32)))
        (func (export "alloc") (param i32) (result i32) (i32.add (call $state) (i32.const 64)))
        (func (export "free") (param i32)) (func (export "state_size") (result i32) (i32.const 16)))"#;
    let plain = module(&[MALLOC, FREE, MEMORY, BASE, ENTRY]);
    let with = |text: &str| {
        let mut options = Options::new(Spec::Local);
        options.allocator =
            Allocator::Module { name: "other".to_owned(), wasm: wat::parse_str(text).expect("text").into() };
        (convert(&plain, &options), options)
    };
    let (converted, options) = with(good);
    let converted = converted.expect("it follows the interface").wasm;
    verify(&plain, &converted, Some(&options.allocator)).expect("it verifies");
    assert!(verify(&plain, &converted, None).is_err());
    assert_eq!(done(&converted, Spec::Legacy).wasm, plain);

    let mut text = String::new();
    let flaws = [
        ("no alloc", good.replace("\"alloc\"", "\"malloc\"")),
        ("another alloc", good.replace("(param i32) (result i32) (i32.add", "(param i64) (result i32) (i32.add")),
        ("a memory of its own", good.replace(r#"(import "env" "memory" (memory 1))"#, "").replace("(func (export \"alloc\")", "(memory 1) (func (export \"alloc\")")),
        ("another import", good.replace("end", "far_away")),
        ("another type of an import", good.replace("\"end\" (func (result i32))", "\"end\" (func (result i64))")),
        ("a computed state size", good.replace("(i32.const 16)", "(i32.add (i32.const 8) (i32.const 8))")),
        ("much state", good.replace("(i32.const 16)", "(i32.const 70000)")),
        ("a global", good.replace("(func (export \"free\") (param i32))", "(global $g (mut i32) (i32.const 0)) (func (export \"free\") (param i32) (global.set $g (local.get 0)))")),
        ("growing", good.replace("(func (export \"free\") (param i32))", "(func (export \"free\") (param i32) (drop (memory.grow (i32.const 1))))")),
        ("data", good.replace("(func (export \"free\")", "(data (i32.const 0) \"x\") (func (export \"free\")")),
        ("a table", good.replace("(func (export \"free\")", "(table 1 funcref) (func (export \"free\")")),
        ("floats", good.replace("(func (export \"free\")", "(func (result f32) (f32.const 0)) (func (export \"free\")")),
    ];
    for (name, flawed) in flaws {
        assert_ne!(flawed, good, "{name}");
        writeln!(text, "{name}:\n  {}", with(&flawed).0.expect_err("it is refused")).expect("text");
    }
    insta::assert_snapshot!("allocators", text);
}

#[test]
fn an_allocator_of_many_functions() {
    // A chain of calls, deeper than a stack.
    let chain: String = (0..40_000)
        .map(|n| format!("(func $f{n} (param i32) (result i32) (call $f{} (local.get 0)))", n + 1))
        .collect();
    let text = format!(
        r#"(module (import "heapbase" "state" (func $state (result i32))) {chain} (func $f40000 (param i32) (result i32) (call $state))
        (func (export "alloc") (param i32) (result i32) (call $f0 (local.get 0)))
        (func (export "free") (param i32)) (func (export "state_size") (result i32) (i32.const 16)))"#
    );
    let mut options = Options::new(Spec::Local);
    options.allocator = Allocator::Module { name: "deep".to_owned(), wasm: wat::parse_str(text).expect("text").into() };
    let plain = module(&[MALLOC, FREE, MEMORY, BASE, ENTRY]);
    let error = convert(&plain, &options).expect_err("it is refused").to_string();
    assert!(error.contains("has 40004 functions"), "{error}");
}

#[test]
fn under_v1_a_node_that_knows_no_v1_finds_no_heap_base() {
    let original = module(&[MALLOC, FREE, MEMORY, BASE, ENTRY]);
    let exports = |wasm: &[u8]| -> Vec<String> {
        inspect(wasm).expect("a module").exports.iter().map(|export| export.name.clone()).collect()
    };
    let has = |wasm: &[u8], name: &str| exports(wasm).iter().any(|export| export == name);
    let v1 = done(&original, Spec::V1).wasm;
    assert!(!has(&v1, "__heap_base") && has(&v1, "__heap_base_v1"), "{:?}", exports(&v1));
    let local = done(&v1, Spec::Local).wasm;
    assert!(has(&local, "__heap_base") && !has(&local, "__heap_base_v1"), "{:?}", exports(&local));
    assert_eq!(convert(&v1, &Options::new(Spec::Legacy)).expect("taken back").wasm, original);
}
