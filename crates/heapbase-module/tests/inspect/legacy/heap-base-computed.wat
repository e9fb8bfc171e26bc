;; Arithmetic in the initial value is a later proposal, and hides the value from a converter.
;;! legacy, conforms
;;! memory imported, 17 pages
;;! feature extended-const 1 times from 0x84, refused
;;! warning refused-feature: section global 0x84: uses extended-const (1 in all), which stock nodes refuse
;;! warning computed-heap-base: section export __heap_base 0x89: `__heap_base` is not an `i32.const`: its value is known at run time only
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (global (export "__heap_base") i32 (i32.add (i32.const 0x80000) (i32.const 0x80000)))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
