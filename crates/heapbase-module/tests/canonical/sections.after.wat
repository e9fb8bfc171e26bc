(module $m
  (type (;0;) (func (param f32) (result f32)))
  (export "f" (func 0))
  (func (;0;) (type 0) (param $x f32) (result f32)
    (local $y f64) (local f32)
    block ;; label = @1
    end
    local.get $x
    f32.sqrt
    local.tee 2
    local.get 2
    f32.eq
    if (result f32) ;; label = @1
      local.get 2
    else
      f32.const nan (;=NaN;)
    end
  )
  (@custom "kept" (after code) "as it is")
)
