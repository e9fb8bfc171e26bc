;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature simd 1 times from 0x5c, refused
;;! warning refused-feature: section code 0x5c: uses simd (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (drop (v128.const i64x2 0 0))))
