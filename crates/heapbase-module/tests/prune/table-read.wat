;;! nothing to do
(module $m (table 4100 funcref) (elem (i32.const 4096) func $a) (func $a (export "a") (call_indirect (i32.const 4096)) (drop (table.get 0 (i32.const 1)))))
