;;! legacy, does not conform
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! feature memory64 1 times from 0x18, refused
;;! error unfit-memory: section memory memory 0x15: the memory is addressed with 64 bits, but hosts share a plain one: 32-bit addresses, 64 KiB pages, one thread
;;! warning refused-feature: section memory 0x18: uses memory64 (1 in all), which stock nodes refuse
(module
  (memory (export "memory") i64 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
