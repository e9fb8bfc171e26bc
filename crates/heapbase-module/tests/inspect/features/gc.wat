;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature gc 2 times from 0xb, refused
;;! warning refused-feature: section type 0xb: uses gc (2 in all), which stock nodes refuse
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (type $s (struct (field i32))) (func (drop (struct.new_default $s))))
