;;! took out 1 function that nothing reaches, 8 bytes
;;! took out the import `env.unused`, which nothing calls
;;! took out the import `env.number`, which nothing reads
;;! took out 1 global that nothing uses
;;! took out 1 type that nothing has
;;! shifted the table by its 4096 empty places: 4 places left, and 2 calls through it cost a subtraction each
(module $m
  (type $f (func (param i32) (result i32)))
  (import "env" "used" (func $used (param i32) (result i32)))
  (import "env" "unused" (func $unused (param i64)))
  (import "env" "number" (global $unused_number i32))
  (table $t 4100 4100 funcref)
  (elem $e (i32.const 4096) func $used $a $b)
  (global $zero i32 (i32.const 0))
  (global $one (mut i32) (i32.const 1))
  (func $dead (param $names i32) (result i32) (call $unused (i64.const 1)) (global.get $zero))
  (func $a (type $f) (global.set $one (local.get 0)) (local.get 0))
  (func $b (type $f) (i32.mul (global.get $one) (local.get 0)))
  (func (export "by_number") (param $x i32) (param $pointer i32) (result i32)
    (call_indirect (type $f) (local.get $x) (local.get $pointer)))
  (func (export "constant") (param $x i32) (result i32)
    (call_indirect (type $f) (local.get $x) (i32.const 4098))))
