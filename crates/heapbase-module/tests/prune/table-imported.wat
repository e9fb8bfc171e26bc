;;! nothing to do
(module $m (import "env" "t" (table 4100 funcref)) (elem (i32.const 4096) func $a) (func $a (call_indirect (i32.const 4096))))
