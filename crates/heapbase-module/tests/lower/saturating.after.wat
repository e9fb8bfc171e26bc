(module $m
  (type (;0;) (func (param f32 f64)))
  (func (;0;) (type 0) (param f32 f64)
    (local f32 f64)
    local.get 0
    local.tee 2
    i32.reinterpret_f32
    i32.const 1
    i32.shl
    i32.const -1644167168
    i32.lt_u
    if (result i32) ;; label = @1
      local.get 2
      i32.trunc_f32_s
    else
      i32.const 2147483647
      local.get 2
      f32.const 0x0p+0 (;=0;)
      f32.lt
      i32.add
      i32.const 0
      local.get 2
      local.get 2
      f32.eq
      select
    end
    drop
    local.get 1
    local.tee 3
    i64.reinterpret_f64
    i64.const 4895412794951729152
    i64.lt_u
    if (result i64) ;; label = @1
      local.get 3
      i64.trunc_f64_u
    else
      i64.const 0
      local.get 3
      f64.const 0x0p+0 (;=0;)
      f64.gt
      i64.extend_i32_u
      i64.sub
    end
    drop
    local.get 1
    local.tee 3
    i64.reinterpret_f64
    i64.const 4895412794951729152
    i64.lt_u
    if (result i64) ;; label = @1
      local.get 3
      i64.trunc_f64_u
    else
      i64.const 0
      local.get 3
      f64.const 0x0p+0 (;=0;)
      f64.gt
      i64.extend_i32_u
      i64.sub
    end
    drop
  )
)
