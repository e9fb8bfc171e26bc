(module $m
  (type (;0;) (func))
  (import "env" "t" (table (;0;) 4100 funcref))
  (elem (;0;) (i32.const 4096) func $a)
  (func $a (;0;) (type 0)
    i32.const 4096
    call_indirect (type 0)
  )
)
