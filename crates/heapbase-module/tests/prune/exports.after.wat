(module $m
  (type (;0;) (func))
  (table (;0;) 1 funcref)
  (memory (;0;) 1)
  (export "kept" (func $kept))
  (elem (;0;) (i32.const 0) func $kept)
  (func $kept (;0;) (type 0)
    i32.const 0
    call_indirect (type 0)
  )
)
