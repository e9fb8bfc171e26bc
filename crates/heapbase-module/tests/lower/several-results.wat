;;! lowered multi-value: 2 blocks and calls pass values in variables or globals
;;! added 2 globals
(module $m
  (type $three (func (param i32) (result i32 i64 i32)))
  (table 2 funcref)
  (elem (i32.const 0) func $f $same)
  (func $f (type $three)
    (if (local.get 0) (then (return (i32.const 1) (i64.const 2) (i32.const 3))))
    i32.const 4 i64.const 5 i32.const 6)
  (func $same (type $three)
    i32.const 9
    (call $f (local.get 0))
    (br_if 0 (local.get 0))
    br 0)
  ;; What `$three` would become without another parameter.
  (func $other (param i32) (result i32) local.get 0)
  (func (export "g") (param $x i32) (result i32) (local $sum i32)
    (call_indirect (type $three) (local.get $x) (i32.const 1))
    local.set $sum
    drop
    local.get $sum
    i32.add))
