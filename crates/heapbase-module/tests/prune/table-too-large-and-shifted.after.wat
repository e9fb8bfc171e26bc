(module $m
  (type (;0;) (func))
  (table (;0;) 10904 funcref)
  (elem (;0;) (i32.const 0) func $a)
  (func $a (;0;) (type 0)
    i32.const 0
    call_indirect (type 0)
  )
)
