(module $m
  (type $nothing (;0;) (func))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32 i32) (result i32)))
  (type (;3;) (func (param i32 i32) (result i32)))
  (type (;4;) (func (param i32) (result i64)))
  (type (;5;) (func (param i32 i64) (result i64)))
  (export "block" (func 0))
  (export "loop" (func 1))
  (export "if" (func 2))
  (export "if_without_else" (func 3))
  (export "plain" (func 4))
  (func (;0;) (type 1) (param $x i32) (result i32)
    (local i32 i32 i32)
    local.get $x
    i32.const 7
    local.set 2
    local.set 1
    block $b
      local.get 1
      local.get 2
      local.get $x
      local.set 3
      local.set 2
      local.set 1
      local.get 3
      br_if $b
      local.get 1
      local.get 2
      i32.add
      i32.const 1
      local.set 2
      local.set 1
    end
    local.get 1
    local.get 2
    i32.sub
  )
  (func (;1;) (type 1) (param $x i32) (result i32)
    (local i32 i32 i32)
    i32.const 0
    local.get $x
    local.set 2
    local.set 1
    loop $l (result i32)
      local.get 1
      local.get 2
      local.set $x
      local.get $x
      i32.add
      local.get $x
      i32.const 1
      i32.sub
      local.tee $x
      local.get $x
      local.set 3
      local.set 2
      local.set 1
      local.get 3
      br_if $l
      local.get 1
      local.get 2
      drop
    end
  )
  (func (;2;) (type 4) (param $x i32) (result i64)
    (local $y i64) (local i32 i32 i64 i64)
    local.get $x
    i64.const 5
    local.get $x
    local.set 2
    local.set 4
    local.set 3
    local.get 2
    if ;; label = @1
      local.get 3
      local.get 4
      drop
      drop
      i64.const 6
      i64.const 7
      local.set 5
      local.set 4
    else
      local.get 3
      local.get 4
      i64.const 1
      i64.add
      local.set $y
      i64.extend_i32_u
      local.get $y
      local.set 5
      local.set 4
    end
    local.get 4
    local.get 5
    i64.add
  )
  (func (;3;) (type 1) (param $x i32) (result i32)
    (local i32 i32 i32)
    local.get $x
    i32.const 3
    local.get $x
    local.set 1
    local.set 3
    local.set 2
    local.get 1
    if ;; label = @1
      local.get 2
      local.get 3
      drop
      drop
      i32.const 10
      i32.const 20
      local.set 3
      local.set 2
    end
    local.get 2
    local.get 3
    i32.sub
    local.get $x
    local.set 1
    local.set 2
    local.get 1
    if (result i32) ;; label = @1
      local.get 2
      i32.const 100
      i32.add
    else
      local.get 2
    end
  )
  (func (;4;) (type $nothing)
    block ;; label = @1
    end
  )
)
