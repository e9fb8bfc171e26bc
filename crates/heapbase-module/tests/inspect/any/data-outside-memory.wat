;; One byte past 17 pages.
;;! legacy, does not conform
;;! memory exported, 17 pages
;;! heap base 0x110001
;;! data end 0x110001
;;! error data-outside-memory: section data 0x56: data reaches up to 0x110001, past the end of memory at 0x110000: instantiation traps
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x110001))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (data (i32.const 0x110000) "a"))
