;;! legacy, does not conform
;;! memory exported, 17 to 20 pages
;;! heap base 0x100000
;;! feature threads 2 times from 0x1c, refused
;;! error unfit-memory: section memory memory 0x19: the memory is shared between threads, but hosts share a plain one: 32-bit addresses, 64 KiB pages, one thread
;;! warning refused-feature: section memory 0x1c: uses threads (2 in all), which stock nodes refuse
(module
  (memory (export "memory") 17 20 shared)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (drop (i32.atomic.load (i32.const 0)))))
