;; Parses, but does not validate.
;;! legacy, does not conform
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! error invalid: section code 0x5f: not valid WebAssembly: type mismatch: expected i32, found i64
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (result i32) (i64.const 0)))
