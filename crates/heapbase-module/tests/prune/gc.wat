;;! nothing to do
(module $m
  (type $s (struct (field i32)))
  (type $unused (func (param f32)))
  (func $dead)
  (func (export "f") (result (ref $s)) (struct.new $s (i32.const 1))))
