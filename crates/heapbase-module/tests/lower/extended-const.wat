;;! lowered extended-const: computed 3 constant expressions
(module $m
  (import "env" "base" (global $base i32))
  (memory 1)
  (table 9 funcref)
  (global $a i32 (i32.add (i32.const 16) (i32.mul (i32.const 3) (i32.const 4))))
  (global $b i64 (i64.sub (i64.const 1) (i64.const 2)))
  (global $c i32 (global.get $a))
  (global $d i32 (global.get $base))
  (data (i32.add (global.get $a) (i32.const 1)) "data")
  (data (global.get $base) "data")
  (elem (global.get $c) func))
