(module $m
  (type (;0;) (func))
  (table (;0;) 3 funcref)
  (elem (;0;) (i32.const 1) func $a)
  (func $a (;0;) (type 0)
    i32.const 1
    call_indirect (type 0)
  )
)
