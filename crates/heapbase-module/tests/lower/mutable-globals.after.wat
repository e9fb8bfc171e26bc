(module $m
  (type (;0;) (func))
  (global $never_set (;0;) i32 i32.const 1)
  (global $set (;1;) (mut i32) i32.const 1)
  (global $private (;2;) (mut i32) i32.const 1)
  (export "never_set" (global $never_set))
  (func (;0;) (type 0)
    i32.const 2
    global.set $set
    i32.const 2
    global.set $private
  )
)
