//! Which code is recognised as growing a block.

use super::{BASE, FREE, MALLOC, MEMORY, Options, Spec, TO, convert, done, module, there_and_back};

/// A real one, of which only the speed leaves something to wish for.
pub(super) const COPY: &str = "(func $memcpy (param i32 i32 i32) (result i32) (local $at i32)
    (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get 2)))
        (i32.store8 (i32.add (local.get 0) (local.get $at)) (i32.load8_u (i32.add (local.get 1) (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get 0))";
/// The same from the last byte to the first, where the ranges want it so.
const BACK: &str = "(func $memmove (param i32 i32 i32) (result i32) (local $at i32)
    (if (i32.gt_u (local.get 1) (local.get 0)) (then (return (call $forward (local.get 0) (local.get 1) (local.get 2)))))
    (block $done (loop $next
        (br_if $done (i32.eqz (local.get 2)))
        (local.set 2 (i32.sub (local.get 2) (i32.const 1)))
        (i32.store8 (i32.add (local.get 0) (local.get 2)) (i32.load8_u (i32.add (local.get 1) (local.get 2))))
        (br $next)))
    (local.get 0))";
const SHIMS: &str = "(func $malloc_shim (param i32) (result i32) local.get 0 call $malloc)
    (func $free_shim (param i32) local.get 0 call $free)";
const TABLE: &str = r#"(table 4 funcref) (elem (i32.const 1) func $malloc_shim $free_shim)
    (data (i32.const 64) "\01\00\00\00\02\00\00\00")
    (type $to_block (func (param i32) (result i32))) (type $to_nothing (func (param i32)))"#;

/// A runtime whose one entry point grows a block by this code. Locals: 0 and 1 parameters, then size, old, new, other.
fn runtime(code: &str, copy: &str) -> Vec<u8> {
    let entry = format!(
        r#"(func $grows (export "Core_version") (param i32 i32) (result i64)
        (local $size i32) (local $old i32) (local $new i32) (local $other i32)
        block $null {code} end i64.const 0)"#
    );
    module(&[MALLOC, FREE, MEMORY, BASE, TABLE, copy, SHIMS, &entry])
}

fn places(wasm: &[u8]) -> Vec<bool> {
    TO.map(|to| done(wasm, to).changes.iter().any(|change| change.contains("grow in place"))).into()
}

const DIRECT: &str = "local.get $size call $malloc local.tee $new i32.eqz br_if $null
    local.get $new local.get $old local.get $size call $memcpy drop local.get $old call $free";
const POINTER: &str =
    "local.get $size i32.const 0 i32.load offset=64 call_indirect (type $to_block) local.tee $new i32.eqz br_if $null
    local.get $new local.get $old local.get $size call $memcpy drop
    local.get $old i32.const 0 i32.load offset=68 call_indirect (type $to_nothing)";
const LONG: &str = "local.get $size local.get $other local.get $size local.get $other i32.lt_u select";

#[test]
fn every_shape_that_is_documented() {
    let shapes = [
        ("direct", DIRECT.to_owned()),
        ("shims", DIRECT.replace("$malloc", "$malloc_shim").replace("$free", "$free_shim")),
        ("pointers", POINTER.to_owned()),
        ("the smaller size", DIRECT.replace("local.get $size call $memcpy", &format!("{LONG} call $memcpy"))),
        (
            "elements",
            DIRECT.replace("local.get $size call $memcpy", "local.get $other i32.const 3 i32.shl call $memcpy"),
        ),
        ("two of them", format!("{DIRECT} {DIRECT}")),
    ];
    for (name, code) in shapes {
        let wasm = runtime(&code, COPY);
        assert_eq!(places(&wasm), [true, true], "{name}");
        assert!(there_and_back(&wasm), "{name}");
    }
}

#[test]
fn what_is_nearly_one() {
    let near = [
        ("nothing is tested", DIRECT.replace("local.tee $new i32.eqz br_if $null", "local.set $new")),
        ("another block is freed", DIRECT.replace("drop local.get $old", "drop local.get $other")),
        ("another block is copied", DIRECT.replace("local.get $new local.get $old", "local.get $new local.get $other")),
        ("copied to elsewhere", DIRECT.replace("local.get $new local.get $old", "local.get $other local.get $old")),
        ("something between", DIRECT.replace("local.get $new local.get $old", "nop local.get $new local.get $old")),
        ("something before the free", DIRECT.replace("drop local.get $old", "drop nop local.get $old")),
        ("onto itself", DIRECT.replace("$new", "$old")),
        (
            "the length looks at the new block",
            DIRECT.replace("local.get $size call $memcpy", "local.get $new i32.const 3 i32.shl call $memcpy"),
        ),
        (
            "the length is loaded",
            DIRECT.replace("local.get $size call $memcpy", "local.get $size i32.load call $memcpy"),
        ),
        (
            "the length sets a local",
            DIRECT.replace("local.get $size call $memcpy", "local.get $size local.tee $old call $memcpy"),
        ),
        (
            "half through a pointer",
            POINTER.replace(
                "local.get $old i32.const 0 i32.load offset=68 call_indirect (type $to_nothing)",
                "local.get $old call $free",
            ),
        ),
        ("from another address", POINTER.replace("i32.const 0 i32.load offset=64", "i32.const 4 i32.load offset=60")),
        ("copied back", DIRECT.replace("local.get $new local.get $old", "local.get $old local.get $new")),
    ];
    for (name, code) in near {
        let wasm = runtime(&code, COPY);
        assert_eq!(places(&wasm), [false, false], "{name}");
        assert!(there_and_back(&wasm), "{name}");
    }
}

#[test]
fn what_is_called_memcpy_has_to_copy() {
    let forward = COPY.replace("$memcpy", "$forward");
    let copies = [
        ("memcpy", COPY.to_owned(), true),
        ("another name", COPY.replace("$memcpy", "$other_copy"), false),
        ("memmove", format!("{BACK} {forward}"), true),
        ("a memmove that only goes forward", COPY.replace("$memcpy", "$memmove"), false),
        ("one byte less", COPY.replace("i32.ge_u (local.get $at)", "i32.ge_u (i32.add (local.get $at) (i32.const 1))"), false),
        (
            "always eight",
            "(func $memcpy (param i32 i32 i32) (result i32) (i64.store (local.get 0) (i64.load (local.get 1))) (local.get 0))"
                .to_owned(),
            false,
        ),
        ("nothing", "(func $memcpy (param i32 i32 i32) (result i32) (local.get 0))".to_owned(), false),
        ("the other address", COPY.replace("(local.get 0))", "(local.get 1))"), false),
        (
            "another type",
            "(func $memcpy (param i32 i32 i32) (result i32) (call $malloc (local.get 0)))".to_owned(),
            false,
        ),
        (
            "a counter",
            COPY.replace(
                "    (local.get 0))",
                "(global.set $count (i32.const 1)) (local.get 0)) (global $count (mut i32) (i32.const 0))",
            ),
            false,
        ),
    ];
    for (name, copy, found) in copies {
        let called = copy.split_whitespace().nth(1).expect("a name");
        let wasm = runtime(&DIRECT.replace("$memcpy", called), &copy);
        assert_eq!(places(&wasm), [found, found], "{name}");
        assert!(there_and_back(&wasm), "{name}");
        // What copies is tried out, also where it is to stay as it is.
        let changes = TO.map(|to| {
            let mut slow = Options::new(to);
            slow.routines = false;
            convert(&wasm, &slow).expect("it is converted").changes.join("\n")
        });
        assert_eq!(changes.map(|changes| changes.contains("grow in place")), [found, found], "{name}");
    }
}

#[test]
fn a_memcpy_that_is_also_memmove_still_moves() {
    // What merges functions that are alike leaves one of the two names.
    let forward = COPY.replace("$memcpy", "$forward");
    let back = BACK.replace("$memmove", "$memcpy");
    let name = |copy: &str| {
        let wasm = runtime(&DIRECT.replace("$memcpy", copy.split_whitespace().nth(1).expect("a name")), copy);
        assert!(there_and_back(&wasm));
        done(&wasm, Spec::V1).changes.join("\n")
    };
    let (both, copies) = (name(&format!("{back} {forward}")), name(COPY));
    assert!(both.contains("heapbase::memmove") && !both.contains("heapbase::memcpy"), "{both}");
    assert!(copies.contains("heapbase::memcpy") && !copies.contains("heapbase::memmove"), "{copies}");
}

#[test]
fn a_call_through_a_pointer_of_another_type() {
    // Size and alignment: what a table of a trait's functions takes. It is no allocation of this kind, and must stay as it is.
    let code = POINTER.replace(
        "local.get $size i32.const 0 i32.load offset=64 call_indirect (type $to_block)",
        "i32.const 8 local.get $size i32.const 0 i32.load offset=64 call_indirect (param i32 i32) (result i32)",
    );
    let wasm = runtime(&code, COPY);
    assert_eq!(places(&wasm), [false, false]);
    assert!(there_and_back(&wasm));
}

#[test]
fn a_place_in_the_table_that_is_taken_over() {
    // What stands in the table in the end is what the last segment put there.
    let over = "(func $other (param i32) (result i32) (i32.const 0)) (elem (i32.const 1) func $other)";
    let wasm = {
        let entry = format!(
            r#"(func $grows (export "Core_version") (param i32 i32) (result i64)
            (local $size i32) (local $old i32) (local $new i32) block $null {POINTER} end i64.const 0)"#
        );
        module(&[MALLOC, FREE, MEMORY, BASE, TABLE, COPY, SHIMS, over, &entry])
    };
    assert_eq!(places(&wasm), [false, false]);
}

/// A function that resizes blocks, with this code in it.
fn resizing(code: &str) -> Vec<u8> {
    let realloc = format!(
        "(func $realloc (param $old i32) (param $size i32) (param $align i32) (param $to i32) (result i32) (local $new i32) {code})"
    );
    let entry = r#"(func (export "Core_version") (param i32 i32) (result i64)
        (i64.extend_i32_u (call $realloc (call $malloc (i32.const 8)) (i32.const 8) (i32.const 1) (i32.const 24))))"#;
    module(&[MALLOC, FREE, MEMORY, BASE, TABLE, COPY, SHIMS, &realloc, entry])
}

const RESIZING: &str = "local.get $to i32.const 0 i32.load offset=64 call_indirect (type $to_block) local.set $new
    (if (local.get $new) (then
        (drop (call $memcpy (local.get $new) (local.get $old)
            (select (local.get $size) (local.get $to) (i32.lt_u (local.get $size) (local.get $to)))))
        (local.get $old) i32.const 68 i32.load call_indirect (type $to_nothing)))
    local.get $new";
/// As the allocator of newer sp-io does.
const MOVING: &str = "local.get $to
    (select (i32.const 0) (i32.sub (local.get $align) (i32.const 8)) (i32.lt_u (local.get $align) (i32.const 8))) i32.add
    call $malloc local.set $new
    (if (i32.and (local.get $align) (i32.sub (local.get $align) (i32.const 1))) (then (call $other) unreachable))
    (if (i32.eqz (local.get $new)) (then (return (i32.const 0))))
    (local.set $align (i32.sub (i32.and (i32.sub (i32.const 0) (local.get $align))
        (i32.sub (i32.add (local.get $new) (local.get $align)) (i32.const 1))) (local.get $new)))
    (local.set $new (i32.add (local.get $new) (local.get $align)))
    (i32.store16 align=1 (i32.sub (local.get $new) (i32.const 2)) (local.get $align))
    (drop (call $memcpy (local.get $new) (local.get $old)
        (select (local.get $size) (local.get $to) (i32.lt_u (local.get $size) (local.get $to)))))
    (local.get $old) (local.get $old) i32.const 2 i32.sub i32.load16_u align=1 i32.sub call $free
    local.get $new) (func $other";

#[test]
fn a_function_that_resizes_is_known_by_what_it_does() {
    let resizing_in = |code: &str| {
        let wasm = resizing(code);
        assert!(there_and_back(&wasm), "{code}");
        places(&wasm)
    };
    assert_eq!(resizing_in(RESIZING), [true, true]);
    assert_eq!(resizing_in(MOVING), [true, true]);
    let near = [
        (
            "asks for more",
            RESIZING.replacen("local.get $to i32.const 0", "local.get $to i32.const 1 i32.add i32.const 0", 1),
        ),
        ("copies less", RESIZING.replace("i32.lt_u", "i32.gt_u")),
        ("frees the new block", RESIZING.replace("(local.get $old) i32.const 68", "(local.get $new) i32.const 68")),
        ("returns the old one", format!("{RESIZING} drop local.get $old")),
        (
            "counts",
            RESIZING.replace("(if (local.get $new)", "(i32.store (i32.const 512) (i32.const 1)) (if (local.get $new)"),
        ),
        (
            "frees first",
            RESIZING.replace("(if (local.get $new) (then", "(call $free (local.get $old)) (if (local.get $new) (then"),
        ),
        (
            "writes in front",
            MOVING.replace(
                "(local.get $new) (i32.const 2)) (local.get $align)",
                "(local.get $new) (i32.const 2)) (i32.const 7)",
            ),
        ),
        ("looks at a global", format!("(drop (global.get $base)) {RESIZING}")),
    ];
    for (name, code) in near {
        assert_ne!(code, RESIZING, "{name}");
        assert_ne!(code, MOVING, "{name}");
        assert_eq!(resizing_in(&code), [false, false], "{name}");
    }
}
