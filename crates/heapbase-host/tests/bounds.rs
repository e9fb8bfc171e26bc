//! What a small module can make the host do: each of these once ended the process, or never ended.

use heapbase_host::{Cause, Config, Engine, Error, HeapPages, Limits, Runtime, State, is_calling};

/// `deep` sets the keys 00, 0000, 000000 …, as many as its input, 4 bytes, says; `hash` hashes 1 MiB for ever; `keep` stores
/// 1 MiB under ever new keys; `log` and `print` log 1 MiB for ever; `panic` makes a host function panic.
const GUEST: &str = r#"(module
    (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
    (import "env" "ext_storage_root_version_2" (func $root (param i32) (result i64)))
    (import "env" "ext_hashing_twox_64_version_1" (func $hash (param i64) (result i32)))
    (import "env" "ext_storage_commit_transaction_version_1" (func $commit))
    (import "env" "ext_logging_log_version_1" (func $log (param i32 i64 i64)))
    (import "env" "ext_misc_print_utf8_version_1" (func $print (param i64)))
    (memory (export "memory") 32)
    (global (export "__heap_base") i32 (i32.const 1500000))
    (func $slice (param $ptr i32) (param $len i32) (result i64)
        (i64.or (i64.extend_i32_u (local.get $ptr)) (i64.shl (i64.extend_i32_u (local.get $len)) (i64.const 32))))
    (func (export "deep") (param $input i32) (param i32) (result i64)
        (local $len i32)
        (loop $more
            (local.set $len (i32.add (local.get $len) (i32.const 1)))
            (call $set (call $slice (i32.const 1024) (local.get $len)) (call $slice (i32.const 1024) (i32.const 40)))
            (br_if $more (i32.lt_u (local.get $len) (i32.load (local.get $input)))))
        (drop (call $root (i32.const 1)))
        (i64.const 0))
    (func (export "hash") (param i32 i32) (result i64)
        (loop $more (drop (call $hash (call $slice (i32.const 1024) (i32.const 1048576)))) (br $more))
        (i64.const 0))
    (func (export "keep") (param i32 i32) (result i64)
        (loop $more
            (i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (i32.const 1)))
            (call $set (call $slice (i32.const 1024) (i32.const 4)) (call $slice (i32.const 1024) (i32.const 1048576)))
            (br $more))
        (i64.const 0))
    (func (export "log") (param i32 i32) (result i64)
        (loop $more
            (call $log (i32.const 4) (call $slice (i32.const 1024) (i32.const 1)) (call $slice (i32.const 1024) (i32.const 1048576)))
            (br $more))
        (i64.const 0))
    (func (export "print") (param i32 i32) (result i64)
        (loop $more (call $print (call $slice (i32.const 1024) (i32.const 1048576))) (br $more))
        (i64.const 0))
    (func (export "panic") (param i32 i32) (result i64) (call $commit) (i64.const 0)))"#;

fn on_every_engine(limits: Limits, test: impl Fn(&Runtime)) {
    let code = wat::parse_str(GUEST).expect("the text is a module");
    for engine in Engine::ALL {
        let config = Config { engine, limits, ..Config::default() };
        test(&Runtime::new(&code, &config).expect("the module can be loaded"));
    }
}

fn cause(result: Result<heapbase_host::Outcome, Error>) -> Cause {
    match result {
        Err(Error::Call(error)) => error.cause,
        other => panic!("the call does not fail: {other:?}"),
    }
}

#[test]
fn keys_nested_in_one_another_do_not_overflow_the_stack() {
    on_every_engine(Limits::default(), |runtime| {
        let mut state = State::default();
        let outcome = runtime.call("deep", &1_500u32.to_le_bytes()).on(&state).expect("the call returns");
        let root = outcome.state_root();
        state.commit(outcome.changes);
        assert_eq!(state.root(), root);
        assert_eq!(state.get(&[0; 1_500]).map(|value| value.len()), Some(40));
    });
    // The same from a file.
    let top: Vec<_> = (1..1_500).map(|len| format!("\"0x{}\":\"0x01\"", "00".repeat(len))).collect();
    State::from_json(format!("{{\"top\":{{{}}}}}", top.join(",")).as_bytes()).expect("a state");
}

#[test]
fn what_a_call_hands_to_host_functions_is_bounded() {
    let limits = Limits { host_bytes: 64 << 20, ..Limits::default() };
    on_every_engine(limits, |runtime| {
        assert_eq!(cause(runtime.call("keep", &[]).on(&State::default())), Cause::TooManyBytes);
        assert_eq!(cause(runtime.call("hash", &[]).on(&State::default())), Cause::TooManyBytes);
        assert_eq!(cause(runtime.call("log", &[]).on(&State::default())), Cause::TooManyBytes);
        assert_eq!(cause(runtime.call("print", &[]).on(&State::default())), Cause::TooManyBytes);
    });
}

#[test]
fn fuel_bounds_loops_that_spend_their_time_in_the_host() {
    on_every_engine(Limits { fuel: Some(1_000_000), ..Limits::default() }, |runtime| {
        assert_eq!(cause(runtime.call("hash", &[]).on(&State::default())), Cause::TooManyBytes);
        assert_eq!(cause(runtime.call("log", &[]).on(&State::default())), Cause::TooManyBytes);
    });
}

/// Each entry of two bytes would take a hundred in memory before an engine refused the module.
#[test]
fn a_section_of_too_many_entries_is_refused_before_they_are_read() {
    let section = |id: u8, count: u32, entry: &[u8]| {
        let leb = |mut number: u32| {
            let mut bytes = Vec::new();
            while number >= 0x80 {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
            bytes
        };
        let contents = [leb(count), entry.repeat(count as usize)].concat();
        [b"\0asm\x01\0\0\0".as_slice(), &[id], &leb(contents.len() as u32), &contents].concat()
    };
    let cases: [(u8, &[u8], &str); 5] = [
        (1, &[0x60, 0, 0], "type"),
        (2, &[0, 0, 0, 0], "import"),
        (3, &[0], "function"),
        (6, &[0x7f, 0, 0x41, 0, 0x0b], "global"),
        (7, &[0, 0, 0], "export"),
    ];
    for (id, entry, name) in cases {
        match Runtime::new(&section(id, 1_000_001, entry), &Config::default()) {
            Err(Error::Invalid { message, section, offset }) => {
                assert!(
                    section == name && message.contains("1000001 entries") && (8..16).contains(&offset),
                    "{message}"
                );
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_panic_of_the_host_is_known_to_come_from_a_call() {
    assert!(!is_calling());
    let standard = std::panic::take_hook();
    let (send, receive) = std::sync::mpsc::channel();
    let here = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == here {
            // The receiver lives as long as the test.
            let _ = send.send(is_calling());
        } else {
            standard(panic);
        }
    }));
    on_every_engine(Limits::default(), |runtime| {
        assert!(matches!(cause(runtime.call("panic", &[]).on(&State::default())), Cause::HostFunction(_)));
        assert!(!is_calling());
    });
    drop(std::panic::take_hook());
    let seen: Vec<_> = receive.try_iter().collect();
    assert!(!seen.is_empty() && seen.iter().all(|calling| *calling), "{seen:?}");
}

#[test]
fn both_engines_refuse_the_same_sizes_of_memory() {
    let code = wat::parse_str(GUEST).expect("the text is a module");
    for engine in Engine::ALL {
        let config = Config { engine, heap_pages: HeapPages::Fixed(65_536), ..Config::default() };
        let runtime = Runtime::new(&code, &config).expect("the module can be loaded");
        let result = runtime.call("deep", &1u32.to_le_bytes()).on(&State::default());
        assert!(matches!(result, Err(Error::MemoryTooLarge { pages: 65_568, limit: 65_536 })), "{engine}: {result:?}");
    }
}
