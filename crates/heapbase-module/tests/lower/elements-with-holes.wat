;;! rewrote or dropped 3 element segments that the first release cannot express
;;! dropped 1 elem.drop, which no instruction could notice
(module $m
  (table 9 funcref)
  (elem (i32.const 0) func $a $a $a $a)
  (elem (i32.const 1) funcref (ref.func $b) (ref.null func) (ref.func $b))
  (elem (i32.const 7) funcref (ref.func $a) (ref.null func))
  (elem func $a)
  (func $a)
  (func $b (elem.drop 3)))
