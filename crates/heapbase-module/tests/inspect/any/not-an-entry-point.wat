;; A helper that a toolchain exports.
;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! note not-an-entry-point: section export malloc 0x54: not callable as an entry point: its type is `(i32) -> i32`, not `(i32, i32) -> i64`
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (export "malloc") (param i32) (result i32) (i32.const 0)))
