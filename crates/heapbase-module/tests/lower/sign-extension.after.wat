(module $m
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i64) (result i64)))
  (type (;2;) (func (param i32) (result i64)))
  (memory (;0;) 1)
  (func (;0;) (type 0) (param i32) (result i32)
    local.get 0
    i32.const 24
    i32.shl
    i32.const 24
    i32.shr_s
  )
  (func (;1;) (type 0) (param i32) (result i32)
    local.get 0
    i32.const 16
    i32.shl
    i32.const 16
    i32.shr_s
  )
  (func (;2;) (type 1) (param i64) (result i64)
    local.get 0
    i64.const 56
    i64.shl
    i64.const 56
    i64.shr_s
  )
  (func (;3;) (type 1) (param i64) (result i64)
    local.get 0
    i64.const 48
    i64.shl
    i64.const 48
    i64.shr_s
  )
  (func (;4;) (type 1) (param i64) (result i64)
    local.get 0
    i32.wrap_i64
    i64.extend_i32_s
  )
  (func (;5;) (type 0) (param i32) (result i32)
    local.get 0
    i32.load8_s offset=3
  )
  (func (;6;) (type 0) (param i32) (result i32)
    local.get 0
    i32.load8_u
    i32.const 16
    i32.shl
    i32.const 16
    i32.shr_s
  )
  (func (;7;) (type 2) (param i32) (result i64)
    local.get 0
    i64.load32_s offset=300 align=1
  )
)
