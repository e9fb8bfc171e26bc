(module $m
  (type (;0;) (func (param f32 f64)))
  (type (;1;) (func (param f32) (result i32)))
  (type (;2;) (func (param f64) (result i64)))
  (func (;0;) (type 0) (param f32 f64)
    local.get 0
    call 1
    drop
    local.get 1
    call 2
    drop
    local.get 1
    call 2
    drop
  )
  (func (;1;) (type 1) (param f32) (result i32)
    local.get 0
    f32.abs
    f32.const 0x1p+31 (;=2147483600;)
    f32.lt
    if ;; label = @1
      local.get 0
      i32.trunc_f32_s
      return
    end
    local.get 0
    local.get 0
    f32.ne
    if ;; label = @1
      i32.const 0
      return
    end
    i32.const -2147483648
    i32.const 2147483647
    local.get 0
    f32.const 0x0p+0 (;=0;)
    f32.lt
    select
  )
  (func (;2;) (type 2) (param f64) (result i64)
    local.get 0
    f64.const -0x1p+0 (;=-1;)
    f64.gt
    local.get 0
    f64.const 0x1p+64 (;=18446744073709552000;)
    f64.lt
    i32.and
    if ;; label = @1
      local.get 0
      i64.trunc_f64_u
      return
    end
    local.get 0
    local.get 0
    f64.ne
    if ;; label = @1
      i64.const 0
      return
    end
    i64.const 0
    i64.const -1
    local.get 0
    f64.const 0x0p+0 (;=0;)
    f64.lt
    select
  )
)
