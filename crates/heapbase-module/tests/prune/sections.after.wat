(module $m
  (type (;0;) (func))
  (export "f" (func 0))
  (start 0)
  (func (;0;) (type 0)
    nop
  )
  (@custom "kept" (after code) "as it is")
)
