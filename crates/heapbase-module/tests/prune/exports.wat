;;! took out 1 function that nothing reaches, 2 bytes
;;! dropped the export `memory`
;;! dropped the export `table`
;;! dropped the export `dropped`
;;! shifted the table by its 299 empty places: 1 place left, and 1 call through it costs a subtraction each
;;@ export kept
(module $m
  (memory (export "memory") 1)
  (table (export "table") 300 funcref)
  (elem (i32.const 299) func $kept)
  (func $kept (export "kept") (call_indirect (i32.const 299)))
  (func $dropped (export "dropped")))
