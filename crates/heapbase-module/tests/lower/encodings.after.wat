(module $m
  (type $t (;0;) (func))
  (table $t (;0;) 3 funcref)
  (memory $m (;0;) 1)
  (elem (;0;) (i32.const 0) func $f $f)
  (func $f (;0;) (type $t)
    i32.const 1
    i32.const 2
    i32.const 3
    select
    drop
    i32.const 3
    drop
  )
  (data (;0;) (i32.const 0) "data")
  (@custom "before" (after data) "kept")
)
