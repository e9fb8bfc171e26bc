;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature sign-extension 2 times from 0x5f, refused
;;! warning refused-feature: section code 0x5f: uses sign-extension (2 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (param i32) (drop (i32.extend8_s (local.get 0))) (drop (i32.extend16_s (local.get 0)))))
