;;! lowered bulk-memory: 5 copies and fills, 3 of them written out and the others calls of a function
;;! added 1 function: memory.fill
(module $m
  (memory 1)
  (func $by_call (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func $known_size (param i32 i32) (memory.fill (local.get 0) (local.get 1) (i32.const 8)))
  (func $word (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const 8)))
  (func $three (param i32) (memory.fill (local.get 0) (i32.const 0x1ff) (i32.const 3)))
  (func $thirteen (param i32) (memory.fill (local.get 0) (i32.const 0xab) (i32.const 13))))
