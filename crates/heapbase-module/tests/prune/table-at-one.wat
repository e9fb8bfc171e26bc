;;! nothing to do
(module $m (table 3 funcref) (elem (i32.const 1) func $a) (func $a (call_indirect (i32.const 1))))
