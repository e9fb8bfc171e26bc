(module $m
  (type (;0;) (func (param i32 i32 i32)))
  (type (;1;) (func (param i32 i32)))
  (type (;2;) (func (param i32)))
  (memory (;0;) 1)
  (func $by_call (;0;) (type 0) (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    call $heapbase.memory.fill
  )
  (func $known_size (;1;) (type 1) (param i32 i32)
    local.get 0
    local.get 1
    i32.const 8
    call $heapbase.memory.fill
  )
  (func $word (;2;) (type 2) (param i32)
    local.get 0
    i64.const 0
    i64.store align=1
  )
  (func $three (;3;) (type 2) (param i32)
    (local i32)
    local.get 0
    local.tee 1
    i64.const -1
    i64.store8 offset=2
    local.get 1
    i64.const -1
    i64.store16 align=1
  )
  (func $thirteen (;4;) (type 2) (param i32)
    (local i32)
    local.get 0
    local.tee 1
    i64.const -6076574518398440533
    i64.store offset=5 align=1
    local.get 1
    i64.const -6076574518398440533
    i64.store align=1
  )
  (func $heapbase.memory.fill (;5;) (type 0) (param i32 i32 i32) …)
)
