(module $m
  (type (;0;) (func (param f64 i32) (result i32)))
  (type (;1;) (func (param f64 i32) (result i64)))
  (type (;2;) (func (param f32) (result i32)))
  (func $never_seen (;0;) (type 0) (param $x f64) (param $n i32) (result i32)
    loop $again
      local.get $x
      f64.const 0x1.8p+0 (;=1.5;)
      f64.add
      local.set $x
      local.get $n
      i32.const 1
      i32.sub
      local.tee $n
      br_if $again
    end
    local.get $x
    i32.trunc_f64_s
  )
  (func $seen_at_the_end (;1;) (type 1) (param $x f64) (param $n i32) (result i64)
    (local $y f64) (local f64)
    loop ;; label = @1
      local.get $x
      local.set $y
      local.get $y
      f64.const 0x1.8p+0 (;=1.5;)
      f64.mul
      local.tee 3
      local.get 3
      f64.eq
      if (result f64) ;; label = @2
        local.get 3
      else
        f64.const nan (;=NaN;)
      end
      local.set $x
      local.get $n
      i32.const 1
      i32.sub
      local.tee $n
      br_if 0 (;@1;)
    end
    local.get $y
    i64.reinterpret_f64
  )
  (func $tee (;2;) (type 2) (param $x f32) (result i32)
    (local $y f32) (local f32)
    local.get $x
    f64.promote_f32
    f32.demote_f64
    local.tee 2
    local.get 2
    f32.eq
    if (result f32) ;; label = @1
      local.get 2
    else
      f32.const nan (;=NaN;)
    end
    local.tee $y
    f32.const 0x0p+0 (;=0;)
    f32.eq
    drop
    local.get $y
    i32.reinterpret_f32
  )
)
