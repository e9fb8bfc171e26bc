;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! warning no-entry-point: section export 0x18: no exported function has the type `(i32, i32) -> i64`: nothing here can be called
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000)))
