;; One byte past 17 pages.
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x110001))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (data (i32.const 0x110000) "a"))
