;;! took out 1 function that nothing reaches, 2 bytes
;;! took out 1 type that nothing has
(module $m
  (type $dead (func))
  (type $pair (func (param i32 i32) (result i32 i32)))
  (func $unused)
  (func (export "f") (param i32) (result i32 i32)
    local.get 0 local.get 0 (block (type $pair)) (loop (type $pair)) (if (type $pair) (i32.const 1) (then))))
