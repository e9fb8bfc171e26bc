//! The system interface, as the program inside sees it.

use super::{adapted, host::Node, local, refusal};
use heapbase_module::adapt::{AdaptError, Options};

const WASI: &str = "wasi_snapshot_preview1";

/// A module that calls one function of WASI, as often as the input has bytes, and gives 64 bytes from address 256.
fn calling(name: &str, params: &str, arguments: &str, rest: &str) -> String {
    format!(
        r#"(module
          (import "{WASI}" "{name}" (func $call (param {params}) (result i32)))
          {rest}
          (memory (export "memory") 1)
          (func (export "run") (param $at i32) (param $times i32) (result i64)
            (loop $again
              (i32.store (i32.const 256) (call $call {arguments}))
              (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
            (i64.const 0x0000004000000100)))"#
    )
}

fn run(text: &str, options: &Options<'_>, times: usize) -> (i32, Vec<u8>, Node) {
    let mut node = Node::new(&adapted(text, options).wasm);
    let output = node.call("run", &vec![0; times]).unwrap();
    (i32::from_le_bytes(output[..4].try_into().unwrap()), output[4..].to_vec(), node)
}

/// A program that writes its input to a stream, in pieces of one byte, and then does something.
fn writing(stream: i32, then: &str) -> String {
    format!(
        r#"(module
          (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "{WASI}" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (func (export "run") (param $at i32) (param $left i32) (result i64)
            (block $done
              (loop $next
                (br_if $done (i32.eqz (local.get $left)))
                (i32.store (i32.const 64) (local.get $at))
                (i32.store (i32.const 68) (i32.const 1))
                (if (call $write (i32.const {stream}) (i32.const 64) (i32.const 1) (i32.const 96)) (then unreachable))
                (if (i32.ne (i32.load (i32.const 96)) (i32.const 1)) (then unreachable))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br $next)))
            {then}
            (i64.const 0)))"#
    )
}

fn written(stream: i32, then: &str, text: &[u8]) -> (Node, Option<super::host::Failure>) {
    let mut node = Node::new(&adapted(&writing(stream, then), &local()).wasm);
    let failure = node.call("run", text).err();
    (node, failure)
}

#[test]
fn lines_reach_the_log() {
    let (node, failure) = written(1, "", b"one\n\ntwo\nthree");
    assert!(failure.is_none());
    assert_eq!(node.messages(), ["one", "two"], "empty lines are none, and a line ends before it is written");
    assert!(node.lines().iter().all(|line| (line.level, line.target.as_str()) == (2, "runtime::stdout")));
    let (node, _) = written(2, "", b"careful\n");
    assert_eq!((node.lines()[0].level, node.lines()[0].target.as_str()), (1, "runtime::stderr"));
}

#[test]
fn long_lines_are_cut_between_characters() {
    let text = "é€😀".repeat(700);
    for stream in [1, 2] {
        let (node, _) = written(stream, "", format!("x{text}\n").as_bytes());
        assert!(node.lines().len() >= 6, "{}", node.lines().len());
        assert_eq!(node.messages().concat(), format!("x{text}"));
    }
}

#[test]
fn the_text_of_a_failure_reaches_the_panic_handler() {
    let text = b"some debugging\npanic: index out of range\n\ngoroutine 1 [running]:\nmain.f(...)\n\n";
    let (node, failure) = written(2, "(unreachable)", text);
    let message = failure.unwrap().panic.unwrap();
    assert_eq!(message, "panic: index out of range\n\ngoroutine 1 [running]:\nmain.f(...)");
    assert_eq!(node.lines()[0].message, "some debugging");
    assert!(node.lines()[1..].iter().all(|line| line.level == 3), "the panic handler says it all");
    // Without a known beginning, all of it.
    let (_, failure) = written(2, "(unreachable)", b"Assertion failed: a == b\nline 7");
    assert_eq!(failure.unwrap().panic.unwrap(), "Assertion failed: a == b\nline 7");
    // Nothing was said.
    let (_, failure) = written(2, "(unreachable)", b"");
    let failure = failure.unwrap();
    assert!(failure.panic.is_none() && failure.trap.contains("unreachable"), "{failure:?}");
}

#[test]
fn much_text_keeps_the_beginning_of_a_failure_and_else_the_end() {
    let noise: String = (0..4000).map(|line| format!("noise {line}\n")).collect();
    let (_, failure) = written(2, "(unreachable)", format!("{noise}fatal error: €\n{noise}").as_bytes());
    let message = failure.unwrap().panic.unwrap();
    assert!(message.starts_with("fatal error: €\nnoise 0\n") && message.len() > 16_000, "{}", message.len());
    let (_, failure) = written(2, "(unreachable)", noise.as_bytes());
    let message = failure.unwrap().panic.unwrap();
    assert!(message.ends_with("noise 3999") && message.len() <= 16_384, "{}", message.len());
}

#[test]
fn a_message_that_is_no_text_is_made_one() {
    let cases: [(&[u8], &str); 9] = [
        (b"panic: \xff!", "panic: ?!"),
        (b"panic: \xc3", "panic: ?"),
        (b"panic: \xe2\x82", "panic: ??"),
        (b"panic: \xe2\x82\xac.", "panic: \u{20ac}."),
        (b"panic: \xf0\x9f\x98\x80.", "panic: \u{1f600}."),
        (b"panic: \xc0\x80.", "panic: ??."),
        (b"panic: \xed\xa0\x80.", "panic: ???."),
        (b"panic: \xf4\x90\x80\x80.", "panic: ????."),
        (b"panic: \xe0\x80\x80\xf0\x80.", "panic: ?????."),
    ];
    for (text, expected) in cases {
        let (_, failure) = written(2, "(unreachable)", text);
        assert_eq!(failure.unwrap().panic.unwrap(), expected, "{text:?}");
    }
}

#[test]
fn leaving_is_a_trap_with_the_status() {
    let (node, failure) = written(1, "(call $exit (i32.const 4294967295))", b"unfinished");
    let failure = failure.unwrap();
    assert_eq!(failure.panic.unwrap(), "exited with status 4294967295");
    assert_eq!(node.messages(), ["unfinished", "exited with status 4294967295"]);
    // More is said where there is more to say.
    let (node, failure) = written(2, "(call $exit (i32.const 2))", b"panic: no\n");
    assert_eq!(failure.unwrap().panic.unwrap(), "panic: no");
    assert_eq!(node.messages().last(), Some(&"exited with status 2"));
}

#[test]
fn clocks_stand_still_unless_somebody_sleeps() {
    let time = calling("clock_time_get", "i32 i64 i32", "(i32.const 1) (i64.const 1) (i32.const 260)", "");
    let (error, output, _) = run(&time, &local(), 3);
    assert_eq!((error, &output[..8]), (0, &1_000_000_000_u64.to_le_bytes()[..]));
    let wrong = time.replace("(i32.const 1) (i64.const 1)", "(i32.const 4) (i64.const 1)");
    assert_eq!(run(&wrong, &local(), 1).0, 28);
    let resolution = calling("clock_res_get", "i32 i32", "(i32.const 0) (i32.const 260)", "");
    assert_eq!(run(&resolution, &local(), 1).1[..8], 1_u64.to_le_bytes());
}

#[test]
fn sleeping_puts_the_clock_forward_to_the_first_that_is_due() {
    // Two subscriptions to the clock: in 5 s, and in 3 s; a third to the absolute time of 100 s.
    let text = format!(
        r#"(module
          (import "{WASI}" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (import "{WASI}" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "run") (param $at i32) (param $count i32) (result i64)
            (i64.store (i32.const 1024) (i64.const 11)) (i64.store (i32.const 1048) (i64.const 5000000000))
            (i64.store (i32.const 1072) (i64.const 12)) (i64.store (i32.const 1096) (i64.const 3000000000))
            (i64.store (i32.const 1120) (i64.const 13)) (i64.store (i32.const 1144) (i64.const 100000000000))
            (i32.store16 (i32.const 1160) (i32.const 1))
            ;; A fourth: standard output, and a fifth: a descriptor that is not there, to be read from.
            (i64.store (i32.const 1168) (i64.const 14)) (i32.store8 (i32.const 1176) (i32.const 2)) (i32.store (i32.const 1184) (i32.const 1))
            (i64.store (i32.const 1216) (i64.const 15)) (i32.store8 (i32.const 1224) (i32.const 1)) (i32.store (i32.const 1232) (i32.const 9))
            (i32.store (i32.const 256) (call $poll (i32.const 1024) (i32.const 2048) (local.get $count) (i32.const 260)))
            (drop (call $time (i32.const 0) (i64.const 0) (i32.const 264)))
            (memory.copy (i32.const 272) (i32.const 2048) (i32.const 96))
            (i64.const 0x0000007000000100)))"#
    );
    let wasm = adapted(&text, &local()).wasm;
    let poll = |count: usize| {
        let output = Node::new(&wasm).call("run", &vec![0; count]).unwrap();
        let word = |at: usize| u64::from_le_bytes(output[at..at + 8].try_into().unwrap());
        (word(0) as u32, word(0) >> 32, word(8), [word(16), word(48), word(80)], output)
    };
    assert_eq!(poll(0).0, 28, "nothing to wait for");
    let (error, events, now, users, output) = poll(1);
    assert_eq!((error, events, now, users[0], output[26]), (0, 1, 6_000_000_000, 11, 0));
    let (_, events, now, users, _) = poll(3);
    assert_eq!((events, now, users[0]), (1, 4_000_000_000, 12));
    let (_, events, now, users, output) = poll(4);
    assert_eq!((events, now, users[0], output[26]), (1, 1_000_000_000, 14, 2), "ready at once, so no time passes");
    let (_, events, _, users, output) = poll(5);
    assert_eq!((events, users[0], users[1], output[16 + 32 + 8], output[16 + 32 + 10]), (2, 14, 15, 8, 1));
}

#[test]
fn random_numbers_come_from_the_seed() {
    let text = calling("random_get", "i32 i32", "(i32.const 260) (i32.const 21)", "");
    let mut options = local();
    options.seed = Some(0);
    let (_, output, _) = run(&text, &options, 1);
    // The first numbers of SplitMix64 from 0, as its reference gives them.
    let expected: Vec<u8> = [0xe220a8397b1dcdaf_u64, 0x6e789e6aa1b965f4, 0x06c45d188009454f]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    assert_eq!(output[..21], expected[..21]);
    assert_eq!(output[21..30], [0; 9]);
    let (_, again, _) = run(&text, &options, 2);
    assert_ne!(again, output);
    options.seed = None;
    let (_, own, _) = run(&text, &options, 1);
    assert_ne!(own, output);
    let other = calling("random_get", "i32 i32", "(i32.const 260) (i32.const 21)", "(func)");
    assert_ne!(run(&other, &options, 1).1, own, "every module has its own");
}

#[test]
fn the_environment_is_what_the_adaptation_says() {
    let sizes = calling("environ_sizes_get", "i32 i32", "(i32.const 260) (i32.const 264)", "");
    let get = calling("environ_get", "i32 i32", "(i32.const 260) (i32.const 272)", "");
    let (_, output, _) = run(&sizes, &local(), 1);
    assert_eq!(output[..8], [0; 8]);
    let mut options = local();
    options.environment = vec![("A".into(), "one".into()), ("LONGER_NAME".into(), "two=3".into())];
    let (_, output, _) = run(&sizes, &options, 1);
    assert_eq!(output[..8], [2, 0, 0, 0, 24, 0, 0, 0]);
    let (_, output, _) = run(&get, &options, 1);
    assert_eq!(output[..8], [16, 1, 0, 0, 22, 1, 0, 0]);
    assert_eq!(&output[12..36], b"A=one\0LONGER_NAME=two=3\0");
    for (name, value) in [("", "x"), ("A=B", "x"), ("A", "\0"), ("A", &"x".repeat(5000))] {
        options.environment = vec![(name.into(), value.into())];
        assert!(matches!(refusal(&get, &options), AdaptError::Environment(_)));
    }
    options.environment = vec![("A".into(), "1".into()), ("B".into(), "2".into()), ("A".into(), "3".into())];
    let error = refusal(&get, &options).to_string();
    assert!(error.contains("`A` is set twice"), "{error}");
    let arguments = calling("args_sizes_get", "i32 i32", "(i32.const 260) (i32.const 264)", "");
    assert_eq!(run(&arguments, &local(), 1).1[..8], [0; 8]);
}

#[test]
fn go_is_told_how_much_memory_it_has() {
    let text = calling("environ_get", "i32 i32", "(i32.const 260) (i32.const 272)", r#"(@custom "go:buildid" "x")"#);
    let (_, output, _) = run(&text, &local(), 1);
    assert_eq!(&output[12..32], b"GOMEMLIMIT=14680064\0");
    let mut options = local();
    options.environment = vec![("GOMEMLIMIT".into(), "off".into())];
    assert_eq!(&run(&text, &options, 1).1[12..27], b"GOMEMLIMIT=off\0");
}

#[test]
fn descriptors_are_a_terminal_or_nothing() {
    for (name, params, arguments, error) in [
        ("fd_close", "i32", "(i32.const 0)", 0),
        ("fd_close", "i32", "(i32.const 3)", 8),
        ("fd_sync", "i32", "(i32.const 2)", 0),
        ("fd_fdstat_set_flags", "i32 i32", "(i32.const 1) (i32.const 4)", 0),
        ("fd_fdstat_set_flags", "i32 i32", "(i32.const -1) (i32.const 4)", 8),
        ("fd_fdstat_get", "i32 i32", "(i32.const 1) (i32.const 260)", 0),
        ("fd_filestat_get", "i32 i32", "(i32.const 1) (i32.const 260)", 0),
        ("fd_filestat_get", "i32 i32", "(i32.const 5) (i32.const 260)", 8),
        ("fd_seek", "i32 i64 i32 i32", "(i32.const 1) (i64.const 0) (i32.const 0) (i32.const 260)", 70),
        ("fd_seek", "i32 i64 i32 i32", "(i32.const 7) (i64.const 0) (i32.const 0) (i32.const 260)", 8),
        ("fd_tell", "i32 i32", "(i32.const 0) (i32.const 260)", 70),
        ("fd_read", "i32 i32 i32 i32", "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 260)", 0),
        ("fd_read", "i32 i32 i32 i32", "(i32.const 1) (i32.const 0) (i32.const 0) (i32.const 260)", 8),
        ("fd_write", "i32 i32 i32 i32", "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 260)", 8),
        ("fd_prestat_get", "i32 i32", "(i32.const 3) (i32.const 260)", 8),
        ("fd_advise", "i32 i64 i64 i32", "(i32.const 3) (i64.const 0) (i64.const 0) (i32.const 0)", 8),
        ("proc_raise", "i32", "(i32.const 9)", 52),
        ("sock_shutdown", "i32 i32", "(i32.const 3) (i32.const 0)", 8),
        ("args_get", "i32 i32", "(i32.const 260) (i32.const 264)", 0),
    ] {
        let (found, output, _) = run(&calling(name, params, arguments, ""), &local(), 1);
        assert_eq!(found, error, "{name} {arguments}");
        match name {
            "fd_fdstat_get" => assert_eq!(output[..24], [&[2][..], &[0; 7], &[64], &[0; 15]].concat()),
            "fd_filestat_get" if error == 0 => assert_eq!((output[16], output[24]), (2, 1)),
            _ => {}
        }
    }
}

#[test]
fn every_function_of_the_interface_is_answered() {
    // Name and parameters of all of preview 1, as its document lists them.
    let list = include_str!("preview1.txt");
    assert_eq!(list.lines().count(), 46);
    for line in list.lines() {
        let (name, params) = line.split_once(' ').unwrap_or((line, ""));
        let result = if name == "proc_exit" { "" } else { "(result i32)" };
        let text = format!(
            r#"(module (import "{WASI}" "{name}" (func (param {params}) {result})) (memory 1)
              (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#
        );
        adapted(&text, &local());
    }
}

#[test]
fn assembly_script_is_answered_too() {
    // Strings are UTF-16 with their length in bytes before them: "ab€😀" with half a pair behind, and "f.ts".
    let text = r#"(module
      (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
      (import "env" "trace" (func $trace (param i32 i32 f64 f64 f64 f64 f64)))
      (import "env" "seed" (func $seed (result f64)))
      (import "env" "console.log" (func $log (param i32)))
      (import "env" "Date.now" (func $now (result f64)))
      (memory (export "memory") 1)
      (data (i32.const 64) "\0c\00\00\00a\00b\00\ac\20\3d\d8\00\de\3d\d8")
      (data (i32.const 96) "\08\00\00\00f\00.\00t\00s\00")
      (func (export "say") (param i32 i32) (result i64)
        (call $log (i32.const 68))
        (call $trace (i32.const 100) (i32.const 1) (f64.const 1) (f64.const 0) (f64.const 0) (f64.const 0) (f64.const 0))
        (f64.store (i32.const 256) (call $seed))
        (f64.store (i32.const 264) (call $now))
        (i64.const 0x0000001000000100))
      (func (export "die") (param i32 i32) (result i64)
        (call $abort (i32.const 68) (i32.const 100) (i32.const 12) (i32.const 3))
        (i64.const 0))
      (func (export "die silently") (param i32 i32) (result i64)
        (call $abort (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (i64.const 0)))"#;
    let mut node = Node::new(&adapted(text, &local()).wasm);
    let output = node.call("say", &[]).unwrap();
    assert_eq!(node.messages(), ["ab€😀\u{fffd}", "f.ts"]);
    let number = |at: usize| f64::from_le_bytes(output[at..at + 8].try_into().unwrap());
    assert!((0.0..1.0).contains(&number(0)));
    assert_eq!(number(8), 1000.0);
    assert_eq!(node.call("die", &[]).unwrap_err().panic.unwrap(), "abort: ab€😀\u{fffd} at f.ts:12:3");
    assert_eq!(node.call("die silently", &[]).unwrap_err().panic.unwrap(), "abort");
}

#[test]
fn the_binary_form_is_that_of_the_text() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/adapt/system");
    let text = std::fs::read_to_string(format!("{folder}/system.wat")).unwrap();
    let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let path = format!("{folder}/system.wasm");
    if std::env::var_os("HEAPBASE_BLESS").is_some() {
        std::fs::write(&path, &wasm).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == wasm, "system.wasm is not what system.wat says; bless it");
}
