(module $m
  (type (;0;) (func (param i32 i32 i32)))
  (table (;0;) 4 funcref)
  (memory (;0;) 1)
  (elem $e (;0;) func $f)
  (func $f (;0;) (type 0) (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    memory.copy
    local.get 0
    local.get 1
    local.get 2
    memory.init $d
    data.drop $d
    local.get 0
    local.get 1
    local.get 2
    table.init $e
    elem.drop $e
    local.get 0
    i32.const 24
    i32.shl
    i32.const 24
    i32.shr_s
    drop
  )
  (data $d (;0;) "passive")
)
