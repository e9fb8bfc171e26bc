//! What a call says that it wrote of its memory.

use heapbase_host::{Config, Engine, Runtime, State, WASM_PAGE};

/// `run` writes as many bytes, one in each 64 KiB from the third on, as its input, 4 bytes, says, and reads the rest of 64 MiB.
const GUEST: &str = r#"(module
    (memory (export "memory") 1024)
    (global (export "__heap_base") i32 (i32.const 67108864))
    (data (i32.const 70000) "data")
    (func (export "run") (param $input i32) (param i32) (result i64) (local $at i32) (local $left i32) (local $read i32)
        (local.set $left (i32.load (local.get $input)))
        (local.set $at (i32.const 131072))
        (loop $more
            (if (local.get $left)
                (then
                    (i32.store8 (local.get $at) (i32.const 1))
                    (local.set $left (i32.sub (local.get $left) (i32.const 1))))
                (else (local.set $read (i32.add (local.get $read) (i32.load8_u (local.get $at))))))
            (local.set $at (i32.add (local.get $at) (i32.const 65536)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 67108864))))
        (i64.const 0)))"#;

fn runtime(config: Config) -> Runtime {
    let code = wat::parse_str(GUEST).expect("the text is a module");
    Runtime::new(&code, &config).expect("the module can be loaded")
}

fn touched(runtime: &Runtime, pages: u32) -> Option<u64> {
    runtime.call("run", &pages.to_le_bytes()).on(&State::default()).expect("the call returns").touched_bytes
}

#[test]
fn what_was_written_is_counted_and_nothing_else() {
    let runtime = runtime(Config { engine: Engine::Wasmtime, ..Config::default() });
    let Some(input) = touched(&runtime, 0) else {
        println!("SKIPPED: the kernel has no PAGEMAP_SCAN (Linux 6.7)");
        assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "the scan is required here");
        return;
    };
    // The host writes the input and the header of its block.
    assert!(input > 0 && input <= WASM_PAGE, "{input}");
    // In any order: pages that stay mapped between calls are not counted for a call that leaves them alone.
    for pages in [1, 7, 500, 0, 500, 3, 7] {
        assert_eq!(touched(&runtime, pages), Some(input + u64::from(pages) * input), "{pages} pages");
    }
}

#[test]
fn nothing_is_said_where_it_is_not_known() {
    assert_eq!(touched(&runtime(Config { engine: Engine::Wasmi, ..Config::default() }), 3), None);
    let config = Config { engine: Engine::Wasmtime, keep_resident: 0, ..Config::default() };
    assert_eq!(touched(&runtime(config), 3), None);
}
