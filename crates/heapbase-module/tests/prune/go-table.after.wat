(module $m
  (type $f (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32 i32) (result i32)))
  (import "env" "used" (func $used (;0;) (type $f) (param i32) (result i32)))
  (table $t (;0;) 4 4 funcref)
  (global $one (;0;) (mut i32) i32.const 1)
  (export "by_number" (func 3))
  (export "constant" (func 4))
  (elem $e (;0;) (i32.const 0) func $used $a $b)
  (func $a (;1;) (type $f) (param i32) (result i32)
    local.get 0
    global.set $one
    local.get 0
  )
  (func $b (;2;) (type $f) (param i32) (result i32)
    global.get $one
    local.get 0
    i32.mul
  )
  (func (;3;) (type 1) (param $x i32) (param $pointer i32) (result i32)
    local.get $x
    local.get $pointer
    i32.const 4096
    i32.sub
    call_indirect (type $f)
  )
  (func (;4;) (type $f) (param $x i32) (result i32)
    local.get $x
    i32.const 2
    call_indirect (type $f)
  )
)
