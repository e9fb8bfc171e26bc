;;! took out 2 functions that nothing reaches, 6 bytes
(module $m
  (func $dead)
  (func $by_ref (export "x"))
  (func $in_global)
  (func $tail return_call $tail)
  (global $g funcref (ref.func $in_global))
  (table 1 funcref)
  (elem declare func $by_ref)
  (func (export "f") (result funcref funcref) (ref.func $by_ref) (global.get $g)))
