(module $m
  (type $pair (;0;) (func (result i32)))
  (type (;1;) (func (param i32 i32) (result i32)))
  (type (;2;) (func (param i32) (result i32)))
  (global (;0;) (mut i32) i32.const 0)
  (func $all_kinds (;0;) (type $pair) (result i32)
    (local $i i32) (local i32 i32 i32)
    block ;; label = @1
      block ;; label = @2
        i32.const 1
        i32.const 2
        local.set 2
        local.set 1
        loop ;; label = @3
          local.get 1
          local.get 2
          local.get $i
          local.set 3
          local.set 2
          local.set 1
          block ;; label = @4
            local.get 3
            br_table 3 (;@1;) 2 (;@2;) 1 (;@3;) 3 (;@1;) 0 (;@4;)
          end
          local.get 1
          local.get 2
          global.set 0
          br 3
          local.set 2
          local.set 1
        end
        local.get 1
        local.get 2
        local.set 2
        local.set 1
      end
      local.get 1
      local.get 2
      local.set 2
      local.set 1
    end
    local.get 1
    local.get 2
    global.set 0
  )
  (func $same_kind (;1;) (type 2) (param i32) (result i32)
    (local i32 i32 i32)
    block $a
      block $b
        i32.const 1
        i32.const 2
        local.get 0
        local.set 1
        local.set 3
        local.set 2
        local.get 1
        br_table $a $b $a
        local.set 3
        local.set 2
      end
      local.get 2
      local.get 3
      i32.add
      i32.const 5
      local.set 3
      local.set 2
    end
    local.get 2
    local.get 3
    i32.sub
  )
  (func $one_value (;2;) (type 2) (param i32) (result i32)
    (local i32 i32)
    block (result i32) ;; label = @1
      i32.const 1
      local.set 1
      loop (result i32) ;; label = @2
        local.get 1
        local.get 0
        i32.const 1
        i32.sub
        local.set 0
        local.get 0
        local.set 2
        local.set 1
        block ;; label = @3
          block ;; label = @4
            local.get 2
            br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
          end
          local.get 1
          br 2 (;@1;)
        end
        local.get 1
        br 2
      end
    end
  )
)
