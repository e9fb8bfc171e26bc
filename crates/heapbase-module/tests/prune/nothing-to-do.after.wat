(module $m
  (type (;0;) (func))
  (export "f" (func $f))
  (func $f (;0;) (type 0)
    call $f
  )
)
