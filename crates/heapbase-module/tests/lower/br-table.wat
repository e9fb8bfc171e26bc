;;! lowered multi-value: 6 blocks and calls pass values in variables or globals
;;! added 1 global
(module $m
  (type $pair (func (result i32 i32)))
  (func $all_kinds (type $pair) (local $i i32)
    (block $a (result i32 i32)
      (block $b (result i32 i32)
        i32.const 1 i32.const 2
        (loop $l (param i32 i32) (result i32 i32)
          local.get $i
          br_table $a $b $l $a 3))))
  (func $same_kind (param i32) (result i32)
    (block $a (result i32 i32)
      (block $b (result i32 i32)
        i32.const 1 i32.const 2
        local.get 0
        br_table $a $b $a)
      i32.add
      i32.const 5)
    i32.sub)
  (func $one_value (param i32) (result i32)
    (block $a (result i32)
      i32.const 1
      (loop $l (param i32) (result i32)
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        local.get 0
        br_table $a $l 2))))
