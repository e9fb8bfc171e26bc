;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature exceptions 2 times from 0x21, refused
;;! warning refused-feature: section tag 0x21: uses exceptions (2 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (tag $t) (func (throw $t)))
