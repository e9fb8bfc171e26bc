(module $m
  (type (;0;) (func (param f64) (result i32)))
  (type (;1;) (func (param f64 i32) (result i32)))
  (type (;2;) (func (param f64) (result f64)))
  (func $block (;0;) (type 0) (param f64) (result i32)
    (local f64)
    block (result f64) ;; label = @1
      local.get 0
      f64.sqrt
      local.tee 1
      local.get 1
      f64.eq
      if (result f64) ;; label = @2
        local.get 1
      else
        f64.const nan (;=NaN;)
      end
    end
    i32.trunc_f64_s
  )
  (func $if (;1;) (type 1) (param f64 i32) (result i32)
    (local f64)
    local.get 1
    if (result f64) ;; label = @1
      local.get 0
      f64.sqrt
      local.tee 2
      local.get 2
      f64.eq
      if (result f64) ;; label = @2
        local.get 2
      else
        f64.const nan (;=NaN;)
      end
    else
      local.get 0
      f64.floor
      local.tee 2
      local.get 2
      f64.eq
      if (result f64) ;; label = @2
        local.get 2
      else
        f64.const nan (;=NaN;)
      end
      f64.abs
    end
    i32.trunc_f64_s
  )
  (func $beneath (;2;) (type 1) (param f64 i32) (result i32)
    local.get 0
    f64.sqrt
    block $b
      local.get 1
      br_if $b
      local.get 0
      f64.ceil
      drop
    end
    f64.const 0x1p+0 (;=1;)
    f64.lt
  )
  (func $choice (;3;) (type 0) (param f64) (result i32)
    (local f64)
    local.get 0
    f64.sqrt
    local.tee 1
    local.get 1
    f64.eq
    if (result f64) ;; label = @1
      local.get 1
    else
      f64.const nan (;=NaN;)
    end
    f64.const 0x0p+0 (;=0;)
    i32.const 1
    select
    f64.const 0x1p+0 (;=1;)
    f64.lt
  )
  (func $dead (;4;) (type 2) (param f64) (result f64)
    (local f64)
    local.get 0
    f64.sqrt
    local.tee 1
    local.get 1
    f64.eq
    if (result f64) ;; label = @1
      local.get 1
    else
      f64.const nan (;=NaN;)
    end
    br 0
    f64.add
    f64.ceil
    local.tee 1
    local.get 1
    f64.eq
    if (result f64) ;; label = @1
      local.get 1
    else
      f64.const nan (;=NaN;)
    end
    i64.reinterpret_f64
    unreachable
  )
)
