;;! rewrote 1 instruction in the encoding of the first release
;;! rewrote or dropped 2 element segments that the first release cannot express
;;! replaced 1 table.size by a number
(module $m
  (@custom "before" "kept")
  (type $t (func))
  (table $t 3 funcref)
  (memory $m 1)
  (elem (table $t) (i32.const 0) funcref (ref.func $f) (ref.func $f))
  (elem declare func $f)
  (data (memory $m) (i32.const 0) "data")
  (func $f
    (drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 3)))
    (drop (table.size $t))))
