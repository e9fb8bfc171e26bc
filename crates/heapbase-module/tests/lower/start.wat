;;! lowered bulk-memory: 1 copy or fill, 0 of them written out and the others calls of a function
;;! added 1 function: memory.fill
(module $m (memory 1) (func $s (memory.fill (i32.const 1) (i32.const 2) (i32.const 100))) (start $s))
