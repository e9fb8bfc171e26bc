(module $m
  (type (;0;) (func (param i32) (result i32)))
  (memory (;0;) 1)
  (export "f" (func 0))
  (func (;0;) (type 0) (param i32) (result i32)
    local.get 0
    i32.load
  )
  (data (;0;) (i32.const 1) "x")
)
