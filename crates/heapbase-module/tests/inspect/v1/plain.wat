;; A v1 runtime.
;;! v1, conforms
;;! memory exported, 17 pages
(module
  (memory (export "memory") 17)
  (func (export "v1"))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "dealloc") (param i32 i32))
  (func (export "realloc") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
