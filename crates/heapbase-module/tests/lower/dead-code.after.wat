(module $m
  (type $pair (;0;) (func (result i32)))
  (type (;1;) (func (param i32 i64) (result i32)))
  (type (;2;) (func (param f32 i64) (result i32)))
  (type (;3;) (func))
  (type (;4;) (func (param f32)))
  (global (;0;) (mut i64) i64.const 0)
  (func $f (;0;) (type $pair) (result i32)
    (local i32 i64 i32 f32)
    unreachable
    local.set 1
    local.set 0
    block ;; label = @1
      local.get 0
      local.get 1
      local.set 1
      local.set 0
      br 0 (;@1;)
      i64.const 1
      i32.const 0
      local.set 2
      local.set 1
      local.set 3
      local.get 2
      if ;; label = @2
        local.get 3
        local.get 1
        unreachable
        local.set 1
        local.set 0
      else
        local.get 3
        local.get 1
        drop
        drop
        i32.const 1
        i64.const 2
        local.set 1
        local.set 0
        br 1 (;@1;)
        local.set 1
        local.set 0
      end
      local.get 0
      local.get 1
      i32.const 1
      local.set 2
      local.set 1
      local.set 0
      local.get 2
      br_if 0 (;@1;)
      local.get 0
      local.get 1
      call $f
      global.get 0
      drop
      drop
      unreachable
      local.set 2
      local.set 1
      local.set 0
      block ;; label = @2
        local.get 2
        br_table 1 (;@1;) 0 (;@2;) 1 (;@1;)
      end
      local.get 0
      local.get 1
      global.set 0
      br 1
      local.set 1
      local.set 0
    end
    local.get 0
    local.get 1
    global.set 0
    return
    drop
    call $f
    global.get 0
    global.set 0
  )
  (func $types_differ (;1;) (type 3)
    (local f32 i32)
    block (result i32) ;; label = @1
      block (result i64) ;; label = @2
        f32.const 0x1p+0 (;=1;)
        local.set 0
        loop ;; label = @3
          local.get 0
          unreachable
          local.set 1
          local.set 0
          block ;; label = @4
            block ;; label = @5
              local.get 1
              br_table 0 (;@5;) 1 (;@4;) 2 (;@3;)
            end
            unreachable
          end
          unreachable
        end
        unreachable
      end
      drop
      i32.const 0
    end
    drop
  )
)
