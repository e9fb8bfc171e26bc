;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature simd 1 times from 0x11, refused
;;! feature relaxed-simd 1 times from 0x61, refused
;;! warning refused-feature: section type 0x11: uses simd (1 in all), which stock nodes refuse
;;! warning refused-feature: section code 0x61: uses relaxed-simd (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))
