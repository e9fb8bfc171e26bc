;; The host's allocator takes one size.
;;! legacy, does not conform
;;! memory imported, 17 pages
;;! heap base 0x100000
;;! error wrong-signature: section import env.ext_allocator_malloc_version_1 0x2c: has the type `(i32, i32) -> i32`, but has to be a function `(i32) -> i32`
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32 i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
