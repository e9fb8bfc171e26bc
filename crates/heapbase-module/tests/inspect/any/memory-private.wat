;; The host cannot reach it.
;;! legacy, does not conform
;;! memory private, 17 pages
;;! heap base 0x100000
;;! error unreachable-memory: section memory memory 0x42: the memory is neither imported as `env.memory` nor exported as `memory`
(module
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (memory 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
