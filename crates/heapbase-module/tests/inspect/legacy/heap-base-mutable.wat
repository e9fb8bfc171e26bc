;; A host reads it once; the module could move it later.
;;! legacy, conforms
;;! memory imported, 17 pages
;;! heap base 0x100000
;;! feature mutable-global 1 times from 0x85, accepted
;;! warning mutable-heap-base: section export __heap_base 0x85: `__heap_base` is mutable; a host reads it once, after the start function
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (global (export "__heap_base") (mut i32) (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
