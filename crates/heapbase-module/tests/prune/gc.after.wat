(module $m
  (type $s (;0;) (struct (field i32)))
  (type $unused (;1;) (func (param f32)))
  (type (;2;) (func))
  (type (;3;) (func (result (ref $s))))
  (export "f" (func 1))
  (func $dead (;0;) (type 2))
  (func (;1;) (type 3) (result (ref $s))
    i32.const 1
    struct.new $s
  )
)
