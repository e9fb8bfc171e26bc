;;! v1, does not conform
;;! memory exported, 17 pages
;;! error wrong-kind: section export alloc 0x45: is a global, but has to be a function `(i32) -> i32`
(module
  (memory (export "memory") 17)
  (func (export "v1"))
  (global (export "alloc") i32 (i32.const 1))
  (func (export "dealloc") (param i32 i32))
  (func (export "realloc") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
