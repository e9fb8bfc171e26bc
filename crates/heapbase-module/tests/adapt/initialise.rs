//! Initialising beforehand: the same as in every call, and bounded.

use super::{adapted, host::Node, local, refusal, v1};
use heapbase_module::adapt::{AdaptError, Init};

/// Every kind of state there is, set by start function and initialiser.
const STATE: &str = r#"(module
  (memory (export "memory") 2)
  (global $a (mut i32) (i32.const 0))
  (global $b (mut i64) (i64.const 1))
  (global $c (mut f32) (f32.const 2))
  (global $d (mut f64) (f64.const 3))
  (global $e i32 (i32.const 5))
  (data (i32.const 16) "keep")
  (data (i32.const 32) "gone")
  (data $later "passive")
  (start $start)
  (func $start
    (global.set $a (i32.add (global.get $a) (i32.const 1)))
    (i32.store (i32.const 32) (i32.const 0)))
  (func (export "_initialize")
    (if (i32.ne (global.get $a) (i32.const 1)) (then unreachable))
    (global.set $a (i32.const -7))
    (global.set $b (i64.const 0x8000000000000001))
    (global.set $c (f32.const nan:0x200001))
    (global.set $d (f64.const -0))
    (memory.init $later (i32.const 131065) (i32.const 0) (i32.const 7))
    (memory.fill (i32.const 70000) (i32.const 9) (i32.const 40)))
  (func (export "state") (param i32 i32) (result i64)
    (i32.store (i32.const 200) (global.get $a))
    (i64.store (i32.const 204) (global.get $b))
    (f32.store (i32.const 212) (global.get $c))
    (f64.store (i32.const 216) (global.get $d))
    (i32.store (i32.const 224) (global.get $e))
    (i64.store (i32.const 228) (i64.load (i32.const 16)))
    (i64.store (i32.const 236) (i64.load (i32.const 32)))
    (i64.store (i32.const 244) (i64.load (i32.const 131064)))
    (i64.store (i32.const 252) (i64.load (i32.const 70036)))
    (i64.const 0x0000003c000000c8)))"#;

#[test]
fn a_call_begins_with_what_initialising_left() {
    let mut outputs = Vec::new();
    for mut options in [local(), v1()] {
        for init in [Init::Snapshot, Init::Lazy] {
            options.init = init;
            let runtime = adapted(STATE, &options);
            let mut node = Node::new(&runtime.wasm);
            let first = node.call("state", &[]).unwrap();
            assert_eq!(node.call("state", &[]).unwrap(), first, "initialised twice");
            outputs.push(first);
        }
    }
    assert_eq!(outputs[0][..4], (-7_i32).to_le_bytes());
    assert_eq!(outputs[0][28..36], *b"keep\0\0\0\0");
    assert_eq!(outputs[0][36..44], [0; 8]);
    assert_eq!(outputs[0][44..52], *b"\0passive");
    assert_eq!(outputs[0][52..60], [9, 9, 9, 9, 0, 0, 0, 0]);
    assert!(outputs.iter().all(|output| *output == outputs[0]), "{outputs:?}");
}

/// What a call sees of a segment that initialising has dropped, or not.
const SEGMENTS: &str = r#"(module
  (memory (export "memory") 2)
  (table 4 funcref)
  (data $kept "kept")
  (data $dropped "dropped")
  (data (i32.const 8) "active")
  (data $empty "")
  (func (export "_initialize")
    (memory.init $dropped (i32.const 16) (i32.const 0) (i32.const 7))
    (data.drop $dropped)
    (memory.init $kept (i32.const 32) (i32.const 0) (i32.const 4)))
  (func (export "kept") (param i32 i32) (result i64)
    (memory.init $kept (i32.const 36) (i32.const 0) (i32.const 4))
    (memory.init $dropped (i32.const 0) (i32.const 0) (i32.const 0))
    (memory.init $empty (i32.const 0) (i32.const 0) (i32.const 0))
    (i64.const 0x0000001800000010))
  (func (export "dropped") (param i32 i32) (result i64)
    (memory.init $dropped (i32.const 16) (i32.const 6) (i32.const 1))
    (i64.const 0)))"#;

#[test]
fn segments_that_initialising_dropped_are_gone() {
    for mut options in [local(), v1()] {
        for init in [Init::Snapshot, Init::Lazy] {
            options.init = init;
            let runtime = adapted(SEGMENTS, &options);
            assert_eq!(Node::new(&runtime.wasm).call("kept", &[]).unwrap(), *b"dropped\0\0\0\0\0\0\0\0\0keptkept");
            assert!(Node::new(&runtime.wasm).call("dropped", &[]).is_err(), "{init:?}");
        }
    }
}

#[test]
fn what_stays_zero_takes_no_place() {
    let text = r#"(module
      (memory 200)
      (data (i32.const 65536) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
      (func (export "_initialize") (memory.fill (i32.const 1000000) (i32.const 0) (i32.const 5000000)))
      (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#;
    let runtime = adapted(text, &local());
    assert_eq!(heapbase_module::inspect(&runtime.wasm).unwrap().data_end, None);
    assert!(runtime.wasm.len() < 1500, "{} bytes", runtime.wasm.len());
}

#[test]
fn a_program_that_ran_to_its_end_may_leave() {
    let text = |status: i32| {
        format!(
            r#"(module
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory 1)
              (global $ready (mut i32) (i32.const 0))
              (func (export "_start") (global.set $ready (i32.const 9)) (call $exit (i32.const {status})))
              (func (export "f") (param i32 i32) (result i64)
                (i32.store (i32.const 64) (global.get $ready))
                (i64.const 0x0000000100000040)))"#
        )
    };
    let runtime = adapted(&text(0), &local());
    assert_eq!(Node::new(&runtime.wasm).call("f", &[]).unwrap(), [9]);
    let error = refusal(&text(3), &local());
    let AdaptError::Initialise { function, message, .. } = &error else { panic!("{error:?}") };
    assert_eq!((function.as_str(), message.as_str()), ("_start", "exited with status 3"));
}

#[test]
fn host_functions_end_it_by_name() {
    let text = r#"(module
      (import "env" "ext_storage_root_version_2" (func $root (param i32) (result i64)))
      (memory 1)
      (func (export "_initialize") (drop (call $root (i32.const 1))))
      (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#;
    let error = refusal(text, &local());
    let AdaptError::InitialiseCalls { function, name } = &error else { panic!("{error:?}") };
    assert_eq!((function.as_str(), name.as_str()), ("_initialize", "env.ext_storage_root_version_2"));
    assert!(error.to_string().contains("--init lazy"), "{error}");
    let mut lazy = local();
    lazy.init = Init::Lazy;
    let mut node = Node::new(&adapted(text, &lazy).wasm);
    assert!(node.call("f", &[]).unwrap_err().trap.contains("ext_storage_root_version_2 was called"));
}

#[test]
fn what_goes_wrong_is_told() {
    let text = |body: &str| {
        format!(
            r#"(module (memory 1)
              (func (export "_initialize") {body})
              (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#
        )
    };
    let error = refusal(&text("(unreachable)"), &local());
    assert!(matches!(&error, AdaptError::Initialise { message, .. } if message.contains("unreachable")), "{error:?}");
    let mut options = local();
    options.steps = 100_000;
    let error = refusal(&text("(loop (br 0))"), &options);
    assert!(matches!(error, AdaptError::InitialiseEndless { steps: 100_000, .. }), "{error:?}");
    let error = refusal(&text("(i32.store8 (i32.const 100000) (i32.const 1))"), &local());
    assert!(matches!(&error, AdaptError::Initialise { message, .. } if message.contains("0x186a0")), "{error:?}");
    let recursion = text("(call 0)");
    let error = refusal(&recursion, &local());
    assert!(matches!(error, AdaptError::Initialise { .. }), "{error:?}");
    let error = refusal(&text("").replace("(memory 1)", "(memory 65000)"), &local());
    assert!(matches!(error, AdaptError::InitialiseMemory { .. }), "{error:?}");
}

#[test]
fn the_initialisers_of_every_convention_run() {
    for name in ["_initialize", "_start", "__wasm_call_ctors"] {
        let text = format!(
            r#"(module (memory 1)
              (func (export "{name}") (i32.store8 (i32.const 64) (i32.const 5)))
              (func (export "f") (param i32 i32) (result i64) (i64.const 0x0000000100000040)))"#
        );
        let runtime = adapted(&text, &local());
        assert_eq!(Node::new(&runtime.wasm).call("f", &[]).unwrap(), [5], "{name}");
        assert!(runtime.changes.iter().any(|change| change.contains(name)), "{:?}", runtime.changes);
    }
}

/// wasmi 2.0.0 fuses a comparison with zero and a `select` into one instruction that looks at the wrong value.
#[test]
fn choices_by_comparisons_are_right() {
    let text = r#"(module (memory 1)
      (func $choose (param $at i32) (param $by i32)
        (i32.store8 (local.get $at) (select (i32.const 1) (i32.const 2) (i32.eqz (local.get $by))))
        (i32.store8 offset=1 (local.get $at) (select (i32.const 1) (i32.const 2) (i32.ne (local.get $by) (i32.const 0))))
        (i32.store8 offset=2 (local.get $at) (i32.const 1) (i32.const 2) (i32.eq (local.get $by) (i32.const 0)) (nop) (select))
        (i32.store8 offset=3 (local.get $at)
          (select (i32.const 1) (i32.const 2) (loop (result i32) (i32.eqz (local.get $by)))))
        (i32.store8 offset=4 (local.get $at)
          (select (i32.const 1) (i32.const 2) (i64.eqz (i64.extend_i32_u (i32.eqz (local.get $by)))))))
      (func (export "_initialize")
        (call $choose (i32.add (i32.const 63) (i32.const 1)) (i32.const 0))
        (drop (i32.add (i32.load (i32.const 0)) (i32.const 8)))
        (call $choose (i32.const 69) (i32.const 9)))
      (func (export "f") (param i32 i32) (result i64) (i64.const 0x0000000a00000040)))"#;
    let runtime = adapted(text, &local());
    assert_eq!(Node::new(&runtime.wasm).call("f", &[]).unwrap(), [1, 2, 1, 1, 2, 2, 1, 2, 2, 1]);
}

#[test]
fn an_initialiser_that_takes_or_gives_something_is_refused() {
    for ty in ["(param i32)", "(result i32)", "(param i32 i32) (result i64)"] {
        let result = if ty.contains("i64") { "(i64.const 0)" } else { "(i32.const 0)" };
        let body = if ty.contains("result") { result } else { "" };
        let text = format!(
            r#"(module (func (export "_initialize") {ty} {body})
                 (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#
        );
        for init in [Init::Snapshot, Init::Lazy] {
            let mut options = local();
            options.init = init;
            let error = refusal(&text, &options);
            let AdaptError::Initialise { function, message, .. } = &error else { panic!("{error:?}") };
            assert!(function == "_initialize" && message.contains(&format!("(func {ty})")), "{error}");
        }
    }
}

#[test]
fn data_that_engines_would_copy_for_every_call_are_warned_of() {
    let text = |address: u32, bytes: usize, initialise: &str| {
        format!(
            r#"(module (memory 400) {initialise} (data (i32.const {address}) "{}")
                 (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#,
            "x".repeat(bytes)
        )
    };
    let warns = |text: &str| {
        let warnings = adapted(text, &local()).warnings;
        warnings.iter().any(|warning| warning.contains("engines copy"))
    };
    // Whether the linker put them there or the module itself.
    assert!(warns(&text(20 << 20, 70_000, "")));
    assert!(warns(&text(20 << 20, 70_000, r#"(func (export "_initialize"))"#)));
    let fills = r#"(func (export "_initialize") (memory.fill (i32.const 20000000) (i32.const 1) (i32.const 70000)))"#;
    assert!(warns(&text(0, 1, fills)));
    // Mapped, or so little that nobody notices.
    assert!(!warns(&text(10 << 20, 70_000, r#"(func (export "_initialize"))"#)));
    assert!(!warns(&text(20 << 20, 1000, r#"(func (export "_initialize"))"#)));
}
