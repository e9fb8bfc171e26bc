//! Fresh memory for every call, whatever the calls before did to theirs.

use crate::config;
use heapbase_host::{Config, Engine, Runtime, State};
use proptest::prelude::*;

/// `digest` reads all of memory; `scribble` writes words at addresses chosen by a generator that its input seeds, grows
/// memory on the way, and returns or traps.
fn module(head: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
  {head}
  (global $top (mut i32) (i32.const 200000))
  (global $seed (mut i64) (i64.const 0))
  (func $next (result i32)
    (global.set $seed (i64.add (i64.mul (global.get $seed) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
    (i32.wrap_i64 (i64.shr_u (global.get $seed) (i64.const 33))))
  (func (export "digest") (param i32 i32) (result i64) (local $at i32) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 7)) (i64.load (local.get $at))))
      (br_if $again (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 8)))
        (i32.shl (memory.size) (i32.const 16)))))
    (i64.store (i32.const 8) (local.get $sum))
    (i64.store (i32.const 16) (i64.extend_i32_u (memory.size)))
    (i64.store (i32.const 24) (global.get $seed))
    (i64.const 0x1800000008))
  (func (export "scribble") (param $ptr i32) (param $len i32) (result i64) (local $left i32) (local $grows i32)
    (global.set $seed (i64.load (local.get $ptr)))
    (local.set $left (i32.load offset=8 (local.get $ptr)))
    (local.set $grows (i32.load offset=12 (local.get $ptr)))
    (loop $again
      (if (i32.lt_u (i32.rem_u (call $next) (i32.const 64)) (local.get $grows))
        (then (drop (memory.grow (i32.and (call $next) (i32.const 3))))))
      (i32.store
        (i32.rem_u (call $next) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4)))
        (i32.or (call $next) (i32.const 1)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (if (i32.and (call $next) (i32.const 1)) (then (unreachable)))
    (i64.const 0))
  (data (i32.const 1024) "some data")
  (data (i32.const 65500) "data that ends in another page: 0123456789012345678901234567890123456789")
  (data (i32.const 131064) "\01\02\03\04\05\06\07\08")
  (data (i32.const 170000) "more data"))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

const V1: &str = r#"(func (export "v1")) (func (export "alloc") (param i32) (result i32)
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 0)) (i32.const 7)) (i32.const -8)))
    (i32.and (i32.sub (global.get $top) (local.get 0)) (i32.const -8)))"#;
const LEGACY: &str = r#"(global (export "__heap_base") i32 (i32.const 200000))"#;
const EXPORTED: &str = r#"(memory (export "memory") 5)"#;
const IMPORTED: &str = r#"(import "env" "memory" (memory 5))"#;

fn digest(runtime: &Runtime, state: &State) -> Vec<u8> {
    runtime.call("digest", b"").on(state).expect("reading memory does not fail").output
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_is_fresh_after_any_call(
        calls in proptest::collection::vec((any::<u64>(), 1..3000u32, prop_oneof![Just(0u32), 0..8u32]), 1..12),
        keep_resident in prop_oneof![Just(0usize), Just(4096), Just(100_000), Just(16 << 20)],
    ) {
        for engine in Engine::ALL {
            for (spec, memory) in [(V1, EXPORTED), (V1, IMPORTED), (LEGACY, EXPORTED), (LEGACY, IMPORTED)] {
                let wasm = module(&format!("{memory} {spec}"));
                let config = Config { keep_resident, ..config(engine) };
                let runtime = Runtime::new(&wasm, &config).expect("a module without flaw");
                let state = State::default();
                let first = digest(&runtime, &state);
                for (seed, words, grows) in &calls {
                    let mut input = seed.to_le_bytes().to_vec();
                    input.extend(words.to_le_bytes());
                    input.extend(grows.to_le_bytes());
                    // Half of the calls trap; either way the next finds everything as it was.
                    let _ = runtime.call("scribble", &input).on(&state);
                    prop_assert_eq!(&digest(&runtime, &state), &first, "{} after {:?}", engine, (seed, words, grows));
                }
            }
        }
    }
}

#[test]
fn memory_is_fresh_while_threads_share_a_runtime() {
    for engine in Engine::ALL {
        let wasm = module(&format!("{EXPORTED} {V1}"));
        let runtime = Runtime::new(&wasm, &config(engine)).expect("a module without flaw");
        let first = digest(&runtime, &State::default());
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let (runtime, first) = (&runtime, &first);
                scope.spawn(move || {
                    let state = State::default();
                    for round in 0..50u64 {
                        let mut input = (thread << 32 | round).to_le_bytes().to_vec();
                        input.extend([200u32, 2].iter().flat_map(|word| word.to_le_bytes()));
                        let _ = runtime.call("scribble", &input).on(&state);
                        assert_eq!(&digest(runtime, &state), first, "{engine}, thread {thread}, round {round}");
                    }
                });
            }
        });
    }
}
