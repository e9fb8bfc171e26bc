;;! legacy, does not conform
;;! memory imported, 17 pages
;;! heap base 0x100000
;;! error unknown-import-kind: section import env.__stack_pointer 0x22: is a global; hosts provide functions and the memory `env.memory`, nothing else
(module
  (import "env" "memory" (memory 17))
  (import "env" "__stack_pointer" (global i32))
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
