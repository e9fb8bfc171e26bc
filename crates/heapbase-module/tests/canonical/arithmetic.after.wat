(module $m
  (type (;0;) (func (param f64 f64) (result f64)))
  (type (;1;) (func (param f32)))
  (type (;2;) (func (param f64) (result i32)))
  (type (;3;) (func (param f32 f32) (result f64)))
  (type (;4;) (func (param f64) (result i64)))
  (type (;5;) (func (param f64)))
  (type (;6;) (func (result f64)))
  (memory (;0;) 1)
  (global $g (;0;) (mut f64) f64.const 0x0p+0 (;=0;))
  (func $returned (;0;) (type 0) (param f64 f64) (result f64)
    (local f64)
    local.get 0
    local.get 1
    f64.add
    local.tee 2
    local.get 2
    f64.eq
    if (result f64) ;; label = @1
      local.get 2
    else
      f64.const nan (;=NaN;)
    end
  )
  (func $stored (;1;) (type 1) (param f32)
    (local f32)
    i32.const 0
    local.get 0
    f32.sqrt
    local.tee 1
    local.get 1
    f32.eq
    if (result f32) ;; label = @1
      local.get 1
    else
      f32.const nan (;=NaN;)
    end
    f32.store
  )
  (func $only_compared (;2;) (type 2) (param f64) (result i32)
    local.get 0
    local.get 0
    f64.mul
    f64.const 0x1p+0 (;=1;)
    f64.lt
  )
  (func $only_the_last (;3;) (type 3) (param f32 f32) (result f64)
    (local f64)
    local.get 0
    f32.nearest
    local.get 1
    f32.const 0x1.8p+1 (;=3;)
    f32.div
    f32.max
    f64.promote_f32
    local.tee 2
    local.get 2
    f64.eq
    if (result f64) ;; label = @1
      local.get 2
    else
      f64.const nan (;=NaN;)
    end
  )
  (func $sign (;4;) (type 0) (param f64 f64) (result f64)
    (local f64)
    local.get 0
    local.get 1
    local.get 0
    f64.sub
    local.tee 2
    local.get 2
    f64.eq
    if (result f64) ;; label = @1
      local.get 2
    else
      f64.const nan (;=NaN;)
    end
    f64.copysign
  )
  (func $through_neg (;5;) (type 4) (param f64) (result i64)
    (local f64)
    local.get 0
    f64.ceil
    local.tee 1
    local.get 1
    f64.eq
    if (result f64) ;; label = @1
      local.get 1
    else
      f64.const nan (;=NaN;)
    end
    f64.neg
    i64.reinterpret_f64
  )
  (func $to_a_global (;6;) (type 5) (param f64)
    (local f64)
    local.get 0
    f64.floor
    local.tee 1
    local.get 1
    f64.eq
    if (result f64) ;; label = @1
      local.get 1
    else
      f64.const nan (;=NaN;)
    end
    global.set $g
  )
  (func $dropped (;7;) (type 5) (param f64)
    local.get 0
    f64.trunc
    drop
  )
  (func $to_a_call (;8;) (type 5) (param f64)
    (local f64)
    local.get 0
    f64.const 0x1p+0 (;=1;)
    f64.min
    local.tee 1
    local.get 1
    f64.eq
    if (result f64) ;; label = @1
      local.get 1
    else
      f64.const nan (;=NaN;)
    end
    call $only_compared
    drop
  )
  (func $loaded (;9;) (type 6) (result f64)
    i32.const 8
    f64.load
    f64.neg
  )
)
