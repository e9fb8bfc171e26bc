;;! lowered mutable-global: `never_set`, which the module never sets, became immutable
;;! lowered mutable-global: dropped the export `set`
;;! warning: `set` is a global that the module sets; hosts without mutable globals cannot see it, so it is no longer exported
(module $m
  (global $never_set (export "never_set") (mut i32) (i32.const 1))
  (global $set (export "set") (mut i32) (i32.const 1))
  (global $private (mut i32) (i32.const 1))
  (func (global.set $set (i32.const 2)) (global.set $private (i32.const 2))))
