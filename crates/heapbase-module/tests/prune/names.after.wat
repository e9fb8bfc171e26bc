(module $m
  (type $used (;0;) (func (param i32)))
  (global $live (;0;) (mut i32) i32.const 0)
  (export "f" (func $live))
  (func $live (;0;) (type $used) (param $p i32)
    (local $q i32)
    block $c
    end
    local.get $p
    global.set $live
  )
)
