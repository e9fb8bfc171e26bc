;; A second table.
;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature reference-types 1 times from 0x1b, refused
;;! warning refused-feature: section table 0x1b: uses reference-types (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (table 1 funcref) (table 1 funcref))
