;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature multi-value 1 times from 0x11, refused
;;! warning refused-feature: section type 0x11: uses multi-value (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (result i32 i32) (i32.const 0) (i32.const 1)))
