;;! legacy, does not conform
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature custom-page-sizes 1 times from 0x18, refused
;;! error unfit-memory: section memory memory 0x15: the memory is one with pages of another size, but hosts share a plain one: 32-bit addresses, 64 KiB pages, one thread
;;! warning refused-feature: section memory 0x18: uses custom-page-sizes (1 in all), which stock nodes refuse
(module
  (memory (export "memory") 0x110000 (pagesize 1))
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
