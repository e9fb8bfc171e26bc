(module $m
  (type (;0;) (func))
  (type (;1;) (func (result funcref funcref)))
  (table (;0;) 1 funcref)
  (global $g (;0;) funcref ref.func $in_global)
  (export "x" (func $by_ref))
  (export "f" (func 2))
  (elem (;0;) declare func $by_ref)
  (func $by_ref (;0;) (type 0))
  (func $in_global (;1;) (type 0))
  (func (;2;) (type 1) (result funcref funcref)
    ref.func $by_ref
    global.get $g
  )
)
