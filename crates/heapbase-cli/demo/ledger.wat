;; A runtime of two accounts. Core_execute_block takes a header, which is the state root after the block (32 bytes), and an
;; extrinsic, which is an amount (1 byte) that alice gives to bob. It panics unless the root after it is the header's.
;;
;; The host owns the heap: what is stored is written to a block that the host hands out and takes back, and so are its answers.
(module
  (import "env" "memory" (memory 1))
  (import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func $free (param i32)))
  (import "env" "ext_storage_get_version_1" (func $get (param i64) (result i64)))
  (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
  (import "env" "ext_storage_root_version_2" (func $root (param i32) (result i64)))
  (import "env" "ext_panic_handler_abort_on_panic_version_1" (func $panic (param i64)))

  (data (i32.const 1024) "balance/alice")
  (data (i32.const 1040) "balance/bob")
  (data (i32.const 1056) "the balance is too small")
  (data (i32.const 1088) "the state root after the block is not the header's")

  (global (export "__heap_base") i32 (i32.const 2048))

  (func $slice (param $address i32) (param $len i32) (result i64)
    (i64.or (i64.extend_i32_u (local.get $address))
            (i64.shl (i64.extend_i32_u (local.get $len)) (i64.const 32))))

  (func $fail (param $address i32) (param $len i32)
    (call $panic (call $slice (local.get $address) (local.get $len)))
    unreachable)

  ;; The host answers with Option<Vec<u8>>: 1, the length as a compact number, the byte.
  (func $balance (param $key i64) (result i32)
    (local $answer i32)
    (local.set $answer (i32.wrap_i64 (call $get (local.get $key))))
    (i32.load8_u offset=2 (local.get $answer))
    (call $free (local.get $answer)))

  (func $set_balance (param $key i64) (param $value i32)
    (local $byte i32)
    (local.set $byte (call $malloc (i32.const 1)))
    (i32.store8 (local.get $byte) (local.get $value))
    (call $set (local.get $key) (call $slice (local.get $byte) (i32.const 1)))
    (call $free (local.get $byte)))

  (func (export "Core_execute_block") (param $input i32) (param $len i32) (result i64)
    (local $alice i64) (local $bob i64) (local $amount i32) (local $root i32) (local $at i32)
    (local.set $alice (call $slice (i32.const 1024) (i32.const 13)))
    (local.set $bob (call $slice (i32.const 1040) (i32.const 11)))
    (local.set $amount (i32.load8_u offset=32 (local.get $input)))
    (if (i32.gt_u (local.get $amount) (call $balance (local.get $alice)))
      (then (call $fail (i32.const 1056) (i32.const 24))))
    (call $set_balance (local.get $alice) (i32.sub (call $balance (local.get $alice)) (local.get $amount)))
    (call $set_balance (local.get $bob) (i32.add (call $balance (local.get $bob)) (local.get $amount)))
    (local.set $root (i32.wrap_i64 (call $root (i32.const 1))))
    (loop $compare
      (if (i64.ne (i64.load (i32.add (local.get $root) (local.get $at)))
                  (i64.load (i32.add (local.get $input) (local.get $at))))
        (then (call $fail (i32.const 1088) (i32.const 50))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $compare (i32.lt_u (local.get $at) (i32.const 32))))
    (call $free (local.get $root))
    (i64.const 0)))
