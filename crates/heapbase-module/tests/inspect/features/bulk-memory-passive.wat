;; A passive segment.
;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature bulk-memory 1 times from 0x59, refused
;;! warning refused-feature: section data 0x59: uses bulk-memory (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (data "abc"))
