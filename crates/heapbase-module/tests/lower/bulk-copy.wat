;;! lowered bulk-memory: 8 copies and fills, 4 of them written out and the others calls of a function
;;! added 1 function: memory.copy
(module $m
  (memory 1)
  (func $by_call (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func $one (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 1)))
  (func $eight (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 8)))
  (func $seven (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 7)))
  (func $twenty_one (param $to i32) (param $from i32) (local $own i64)
    (memory.copy (local.get $to) (local.get $from) (i32.const 21)))
  (func $none (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 0)))
  (func $large (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 33)))
  (func $after_a_label (param i32 i32)
    local.get 0 local.get 1
    (block (result i32) i32.const 8)
    memory.copy))
