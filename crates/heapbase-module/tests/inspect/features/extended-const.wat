;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature extended-const 1 times from 0x2b, refused
;;! warning refused-feature: section global 0x2b: uses extended-const (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (global i32 (i32.add (i32.const 1) (i32.const 2))))
