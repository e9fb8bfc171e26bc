;;! nothing to do
(module $m (memory 1) (func (export "f") (param i32) (result i32) (i32.load (local.get 0))) (data (i32.const 1) "x"))
