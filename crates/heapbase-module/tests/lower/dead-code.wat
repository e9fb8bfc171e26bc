;;! lowered multi-value: 5 blocks and calls pass values in variables or globals
;;! added 1 global
(module $m
  (type $pair (func (result i32 i64)))
  (func $f (type $pair)
    unreachable
    (block (param i32 i64) (result i32 i64)
      br 0
      i64.const 1
      i32.const 0
      (if (param f32 i64) (result i32 i64) (then unreachable) (else drop drop i32.const 1 i64.const 2 br 1))
      i32.const 1
      br_if 0
      call $f
      drop drop
      unreachable br_table 0 1 0)
    return
    drop
    call $f)
  (func $types_differ
    (block $a (result i32)
      (block $b (result i64)
        f32.const 1
        (loop $l (param f32)
          unreachable
          br_table $a $b $l)
        unreachable)
      drop
      i32.const 0)
    drop))
