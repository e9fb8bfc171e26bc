;; 17 pages end at 0x110000.
;;! local, does not conform
;;! memory imported, 17 pages
;;! heap base 0x110001
;;! error arena-outside-memory: section export __heap_base 0x85: `__heap_base` at 0x110001 lies past the end of memory at 0x110000: so would the arena below it
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (global (export "__heap_base") i32 (i32.const 0x110001))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (@custom "heapbase" "{\"to\":\"local\"}"))
