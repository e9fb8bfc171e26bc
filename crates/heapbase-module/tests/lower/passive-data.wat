;;! lowered bulk-memory: 5 copies and drops of data segments became calls of functions and a global each
;;! lowered bulk-memory: 3 passive data segments became code where it is used
;;! added 4 functions: data 1 part 0, memory.init 1, memory.init 0, memory.init 3
;;! added 2 globals
(module $m
  (memory 1)
  (data $active (i32.const 16) "active")
  (data $passive "passive\00\00\00\00\00\00\00\00\00\00\00\00\00passive")
  (data $unused "unused")
  (data $empty "")
  (func (export "f") (param i32 i32 i32)
    (memory.init $passive (local.get 0) (local.get 1) (local.get 2))
    (memory.init $active (local.get 0) (local.get 1) (local.get 2))
    (memory.init $empty (local.get 0) (local.get 1) (local.get 2))
    (data.drop $passive)
    (data.drop $active)))
