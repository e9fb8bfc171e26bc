;; A function cannot say where the heap begins.
;;! legacy, does not conform
;;! memory imported, 17 pages
;;! error wrong-kind: section export __heap_base 0x8a: is a function, but has to be a global of type `i32`
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (export "__heap_base") (param i32 i32) (result i64) (i64.const 0)))
