(module $m
  (type $pair (;0;) (func (param i32 i32) (result i32 i32)))
  (type (;1;) (func (param i32) (result i32 i32)))
  (export "f" (func 0))
  (func (;0;) (type 1) (param i32) (result i32 i32)
    local.get 0
    local.get 0
    block (type $pair) (param i32 i32) (result i32 i32) ;; label = @1
    end
    loop (type $pair) (param i32 i32) (result i32 i32) ;; label = @1
    end
    i32.const 1
    if (type $pair) (param i32 i32) (result i32 i32) ;; label = @1
    end
  )
)
