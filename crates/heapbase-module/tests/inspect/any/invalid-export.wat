;; An index that points at nothing.
;;! legacy, does not conform
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! error invalid: section export 0x4e: not valid WebAssembly: unknown function 7: exported function index out of bounds
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (export "f" (func 7)))
