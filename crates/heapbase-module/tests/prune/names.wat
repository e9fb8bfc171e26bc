;;! took out 1 function that nothing reaches, 7 bytes
;;! took out 1 global that nothing uses
;;! took out 1 type that nothing has
(module $m
  (type $unused (func (param f32)))
  (type $used (func (param i32)))
  (global $dead i32 (i32.const 0))
  (global $live (mut i32) (i32.const 0))
  (func $dead (param $x f32) (local $y i32) (block $b))
  (func $live (export "f") (type $used) (param $p i32) (local $q i32) (block $c) (global.set $live (local.get $p))))
