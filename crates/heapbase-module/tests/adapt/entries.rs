//! Exports: which stay, under which name, and what reaches them.

use super::{adapted, host::Node, local, refusal, v1};
use heapbase_module::adapt::{AdaptError, Entry, Init, MemoryLink};

/// Gives its input's address and length.
const ECHO: &str = r#"(module
  (memory (export "memory") 1)
  (table (export "table") 3 funcref)
  (global (export "answer") i32 (i32.const 42))
  (func (export "malloc") (param i32) (result i32) (local.get 0))
  (func (export "other") (param i32 i32) (result i64) (i64.const 0))
  (func (export "echo") (param i32 i32) (result i64)
    (i32.store (i32.const 64) (local.get 0))
    (i32.store (i32.const 68) (local.get 1))
    (i64.const 0x0000000800000040)))"#;

fn names(wasm: &[u8]) -> Vec<String> {
    heapbase_module::inspect(wasm).unwrap().exports.into_iter().map(|export| export.name).collect()
}

#[test]
fn only_what_a_runtime_has_is_exported() {
    let runtime = adapted(ECHO, &local());
    let expected = ["other", "echo", "__heap_base", "__data_end", "__indirect_function_table"];
    assert_eq!(names(&runtime.wasm), expected);
    let runtime = adapted(ECHO, &v1());
    assert_eq!(names(&runtime.wasm)[5..], ["v1", "alloc", "dealloc", "realloc"]);
    let mut options = local();
    options.keep = vec!["answer".into()];
    options.memory = MemoryLink::Exported;
    let runtime = adapted(ECHO, &options);
    assert!(Node::new(&runtime.wasm).has_export("answer"));
    assert!(Node::new(&runtime.wasm).has_export("memory"));
    assert!(heapbase_module::inspect(&runtime.wasm).unwrap().imports.is_empty());
}

#[test]
fn entries_are_chosen_and_renamed() {
    let mut options = local();
    options.entries = vec![Entry::renamed("Core_version", "echo")];
    let runtime = adapted(ECHO, &options);
    let expected = ["Core_version", "__heap_base", "__data_end", "__indirect_function_table"];
    assert_eq!(names(&runtime.wasm), expected);
    let output = Node::new(&runtime.wasm).call("Core_version", b"abc").unwrap();
    assert_eq!(output[4..], [3, 0, 0, 0]);
}

#[test]
fn entries_that_cannot_be_are_refused() {
    for (entries, says) in [
        (vec![Entry::new("missing")], "no exported function `missing`"),
        (vec![Entry::new("malloc")], "(func (param i32) (result i32))"),
        (vec![Entry::new("answer")], "no exported function `answer`"),
        (vec![Entry::new("echo"), Entry::renamed("echo", "other")], "two entries"),
    ] {
        let mut options = local();
        options.entries = entries;
        let error = refusal(ECHO, &options);
        assert!(matches!(error, AdaptError::Entry(_)) && error.to_string().contains(says), "{error}");
    }
    let mut options = local();
    options.keep = vec!["missing".into()];
    assert!(matches!(refusal(ECHO, &options), AdaptError::Entry(_)));
    assert!(matches!(refusal("(module (memory 1))", &local()), AdaptError::NoEntry));
    // Every runtime has these, and they are no functions.
    for name in ["memory", "__heap_base", "__data_end", "__indirect_function_table"] {
        let mut options = local();
        options.entries = vec![Entry::renamed(name, "echo")];
        assert!(refusal(ECHO, &options).to_string().contains(&format!("--entry OTHER={name}")));
        let named = ECHO.replace("(export \"memory\")", "").replace("\"echo\"", &format!("\"{name}\""));
        let error = refusal(&named, &local());
        let mut options = local();
        (options.entries, options.keep) = (vec![Entry::new("other")], vec![name.to_owned()]);
        assert!(refusal(&named, &options).to_string().contains("cannot be kept"));
        assert!(error.to_string().contains(&format!("--entry OTHER={name}")), "{error}");
    }
}

#[test]
fn names_by_which_hosts_know_v1_are_not_given_to_others() {
    // A function `v1` says on every host that the runtime exports an allocator.
    for (name, of_local) in [("v1", true), ("alloc", false), ("dealloc", false), ("realloc", false)] {
        for (base, is_refused) in [(local(), of_local), (v1(), true)] {
            let named = ECHO.replace("\"echo\"", &format!("\"{name}\""));
            let mut renamed = base.clone();
            renamed.entries = vec![Entry::renamed(name, "echo")];
            let mut kept = base.clone();
            (kept.entries, kept.keep) = (vec![Entry::new("other")], vec![name.to_owned()]);
            if !is_refused {
                adapted(&named, &base);
                adapted(ECHO, &renamed);
                adapted(&named, &kept);
                continue;
            }
            for (text, options, says) in [
                (&named[..], &base, format!("--entry OTHER={name}")),
                (ECHO, &renamed, format!("--entry OTHER={name}")),
                (&named, &kept, format!("`{name}` cannot be kept")),
            ] {
                let error = refusal(text, options);
                assert!(matches!(error, AdaptError::Entry(_)) && error.to_string().contains(&says), "{error}");
            }
            // What the message says helps.
            let mut other = base.clone();
            other.entries = vec![Entry::renamed("Core_version", name)];
            adapted(&named, &other);
        }
        // Hosts take no notice of a global; but under v1 the name is the allocator's.
        let global = ECHO.replace("\"answer\"", &format!("\"{name}\""));
        let (mut options, mut under_v1) = (local(), v1());
        options.keep = vec![name.to_owned()];
        adapted(&global, &options);
        under_v1.keep = options.keep;
        assert!(matches!(refusal(&global, &under_v1), AdaptError::Entry(_)));
    }
}

#[test]
fn empty_input_never_lies_at_address_zero() {
    for init in [Init::Snapshot, Init::Lazy] {
        let mut options = local();
        options.init = init;
        let mut node = Node::new(&adapted(ECHO, &options).wasm);
        assert_eq!(node.call_at("echo", 0, 0).unwrap(), [8, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(node.call_at("echo", 24, 0).unwrap(), [24, 0, 0, 0, 0, 0, 0, 0]);
        let output = node.call("echo", b"input").unwrap();
        assert!(u32::from_le_bytes(output[..4].try_into().unwrap()) >= node.heap_base());
    }
}
