(module $m
  (type (;0;) (func (param i32) (result i32)))
  (@custom "target_features" (after type) "\01+\04simd")
  (func (;0;) (type 0) (param i32) (result i32)
    local.get 0
    i32.const 24
    i32.shl
    i32.const 24
    i32.shr_s
  )
  (@custom "kept" (after code) "as it is")
)
