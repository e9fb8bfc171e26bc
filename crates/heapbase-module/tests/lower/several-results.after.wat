(module $m
  (type $three (;0;) (func (param i32 i32) (result i32)))
  (type (;1;) (func (param i32) (result i32)))
  (table (;0;) 2 funcref)
  (global (;0;) (mut i64) i64.const 0)
  (global (;1;) (mut i32) i32.const 0)
  (export "g" (func 3))
  (elem (;0;) (i32.const 0) func $f $same)
  (func $f (;0;) (type $three) (param i32 i32) (result i32)
    local.get 0
    if ;; label = @1
      i32.const 1
      i64.const 2
      i32.const 3
      global.set 1
      global.set 0
      return
    end
    i32.const 4
    i64.const 5
    i32.const 6
    global.set 1
    global.set 0
  )
  (func $same (;1;) (type $three) (param i32 i32) (result i32)
    (local i32)
    i32.const 9
    local.get 0
    i32.const 0
    call $f
    global.get 0
    global.get 1
    local.get 0
    local.set 2
    global.set 1
    global.set 0
    local.get 2
    br_if 0
    global.get 0
    global.get 1
    global.set 1
    global.set 0
    br 0
    global.set 1
    global.set 0
  )
  (func $other (;2;) (type 1) (param i32) (result i32)
    local.get 0
  )
  (func (;3;) (type 1) (param $x i32) (result i32)
    (local $sum i32) (local i32)
    local.get $x
    i32.const 1
    local.set 2
    i32.const 0
    local.get 2
    call_indirect (type $three)
    global.get 0
    global.get 1
    local.set $sum
    drop
    local.get $sum
    i32.add
  )
)
