(module $m
  (type (;0;) (func (param i32 i32 i32)))
  (type (;1;) (func (param i32 i32)))
  (memory (;0;) 1)
  (func $by_call (;0;) (type 0) (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    call $heapbase.memory.copy
  )
  (func $one (;1;) (type 1) (param i32 i32)
    local.get 0
    local.get 1
    i64.load8_u
    i64.store8
  )
  (func $eight (;2;) (type 1) (param i32 i32)
    local.get 0
    local.get 1
    i64.load align=1
    i64.store align=1
  )
  (func $seven (;3;) (type 1) (param i32 i32)
    (local i32 i32 i64)
    local.get 0
    local.get 1
    local.set 3
    local.set 2
    local.get 3
    i64.load32_u align=1
    local.set 4
    local.get 2
    local.get 3
    i64.load32_u offset=3 align=1
    i64.store32 offset=3 align=1
    local.get 2
    local.get 4
    i64.store32 align=1
  )
  (func $twenty_one (;4;) (type 1) (param $to i32) (param $from i32)
    (local $own i64) (local i32 i32 i64 i64)
    local.get $to
    local.get $from
    local.set 4
    local.set 3
    local.get 4
    i64.load align=1
    local.set 5
    local.get 4
    i64.load offset=8 align=1
    local.set 6
    local.get 3
    local.get 4
    i64.load offset=13 align=1
    i64.store offset=13 align=1
    local.get 3
    local.get 6
    i64.store offset=8 align=1
    local.get 3
    local.get 5
    i64.store align=1
  )
  (func $none (;5;) (type 1) (param i32 i32)
    local.get 0
    local.get 1
    i32.const 0
    call $heapbase.memory.copy
  )
  (func $large (;6;) (type 1) (param i32 i32)
    local.get 0
    local.get 1
    i32.const 33
    call $heapbase.memory.copy
  )
  (func $after_a_label (;7;) (type 1) (param i32 i32)
    local.get 0
    local.get 1
    block (result i32) ;; label = @1
      i32.const 8
    end
    call $heapbase.memory.copy
  )
  (func $heapbase.memory.copy (;8;) (type 0) (param i32 i32 i32) …)
)
