;;! lowered sign-extension: 1 instruction became shifts or loads with a sign
;;! rewrote or dropped 1 element segment that the first release cannot express
;;@ bulk memory
(module $m
  (memory 1)
  (table 4 funcref)
  (data $d "passive")
  (elem $e func $f)
  (func $f (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2))
    (memory.init $d (local.get 0) (local.get 1) (local.get 2))
    (data.drop $d)
    (table.init $e (local.get 0) (local.get 1) (local.get 2))
    (elem.drop $e)
    (drop (i32.extend8_s (local.get 0)))))
