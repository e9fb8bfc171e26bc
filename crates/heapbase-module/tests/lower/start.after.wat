(module $m
  (type (;0;) (func))
  (type (;1;) (func (param i32 i32 i32)))
  (memory (;0;) 1)
  (start $s)
  (func $s (;0;) (type 0)
    i32.const 1
    i32.const 2
    i32.const 100
    call $heapbase.memory.fill
  )
  (func $heapbase.memory.fill (;1;) (type 1) (param i32 i32 i32) …)
)
