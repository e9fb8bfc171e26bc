;; Addresses are 32 bits wide.
;;! legacy, does not conform
;;! memory imported, 17 pages
;;! error wrong-signature: section export __heap_base 0x85: has the type `i64`, but has to be a global of type `i32`
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (global (export "__heap_base") i64 (i64.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
