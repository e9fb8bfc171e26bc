(module $m
  (import "env" "g" (global (;0;) (mut i32)))
  (global (;1;) (mut i32) i32.const 1)
  (export "set" (global 1))
)
