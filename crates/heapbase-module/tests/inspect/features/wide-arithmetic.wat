;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature wide-arithmetic 1 times from 0x62, refused
;;! warning refused-feature: section code 0x62: uses wide-arithmetic (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (param i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1)) (drop) (drop)))
