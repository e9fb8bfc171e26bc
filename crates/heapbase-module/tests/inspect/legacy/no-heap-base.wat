;; The host would not know where its heap begins.
;;! legacy, does not conform
;;! memory imported, 17 pages
;;! error missing-export: section export __heap_base 0x77: spec `legacy` asks for an export with this name, a global of type `i32`
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
