;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature function-references 2 times from 0x14, refused
;;! warning refused-feature: section type 0x14: uses function-references (2 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))
