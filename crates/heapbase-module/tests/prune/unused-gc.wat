;;! took out 1 function that nothing reaches, 7 bytes
(module $m
  (type $f (func))
  (func $dead (drop (ref.i31 (i32.const 1))))
  (func (export "f") (type $f)))
