;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
