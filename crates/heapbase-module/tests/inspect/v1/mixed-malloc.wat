;; Two allocators that do not know each other.
;;! v1, does not conform
;;! memory exported, 17 pages
;;! error mixed-allocators: section import env.ext_allocator_malloc_version_1 0x28: imports the host's allocator although it exports `v1`: two allocators would hand out the same bytes
(module
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (memory (export "memory") 17)
  (func (export "v1"))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "dealloc") (param i32 i32))
  (func (export "realloc") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
