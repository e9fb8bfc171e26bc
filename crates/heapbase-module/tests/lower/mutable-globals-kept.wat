;;! nothing to do
;;@ mutable globals
(module $m (import "env" "g" (global (mut i32))) (global (export "set") (mut i32) (i32.const 1)))
