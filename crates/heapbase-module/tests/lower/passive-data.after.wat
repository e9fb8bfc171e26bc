(module $m
  (type (;0;) (func (param i32 i32 i32)))
  (type (;1;) (func (param i32) (result i64)))
  (memory (;0;) 1)
  (global (;0;) (mut i32) i32.const 27)
  (global (;1;) (mut i32) i32.const 0)
  (export "f" (func 0))
  (func (;0;) (type 0) (param i32 i32 i32)
    local.get 0
    local.get 1
    local.get 2
    call 2
    local.get 0
    local.get 1
    local.get 2
    call 3
    local.get 0
    local.get 1
    local.get 2
    call 4
    i32.const 0
    global.set 0
  )
  (func (;1;) (type 1) (param i32) (result i64)
    block ;; label = @1
      block ;; label = @2
        block ;; label = @3
          block ;; label = @4
            local.get 0
            br_table 1 (;@3;) 3 (;@1;) 2 (;@2;) 0 (;@4;) 3 (;@1;)
          end
          i64.const 6649449
          return
        end
        i64.const 28559167928361328
        return
      end
      i64.const 8319100070347669504
      return
    end
    i64.const 0
  )
  (func (;2;) (type 0) (param i32 i32 i32)
    (local i32)
    local.get 1
    i64.extend_i32_u
    local.get 2
    i64.extend_i32_u
    i64.add
    global.get 0
    i64.extend_i32_u
    i64.gt_u
    if ;; label = @1
      i32.const -1
      i32.load8_u offset=4294967295
      drop
      unreachable
    end
    local.get 2
    i32.eqz
    if ;; label = @1
      local.get 0
      if ;; label = @2
        local.get 0
        i32.const 1
        i32.sub
        i32.load8_u
        drop
      end
      return
    end
    local.get 0
    local.get 2
    i32.const 1
    i32.sub
    i32.add
    local.tee 3
    local.get 0
    i32.lt_u
    if ;; label = @1
      i32.const -1
      i32.load8_u offset=4294967295
      drop
      unreachable
    end
    local.get 3
    i32.load8_u
    drop
    loop ;; label = @1
      local.get 1
      i32.const 7
      i32.and
      i32.eqz
      local.get 2
      i32.const 8
      i32.ge_u
      i32.and
      if ;; label = @2
        local.get 0
        local.get 1
        i32.const 3
        i32.shr_u
        call 1
        i64.store align=1
        local.get 0
        i32.const 8
        i32.add
        local.set 0
        local.get 1
        i32.const 8
        i32.add
        local.set 1
        local.get 2
        i32.const 8
        i32.sub
        local.tee 2
        br_if 1 (;@1;)
        return
      end
      local.get 0
      local.get 1
      i32.const 3
      i32.shr_u
      call 1
      local.get 1
      i32.const 7
      i32.and
      i32.const 3
      i32.shl
      i64.extend_i32_u
      i64.shr_u
      i64.store8
      local.get 0
      i32.const 1
      i32.add
      local.set 0
      local.get 1
      i32.const 1
      i32.add
      local.set 1
      local.get 2
      i32.const 1
      i32.sub
      local.tee 2
      br_if 0 (;@1;)
    end
  )
  (func (;3;) (type 0) (param i32 i32 i32)
    (local i32)
    local.get 1
    i64.extend_i32_u
    local.get 2
    i64.extend_i32_u
    i64.add
    i64.const 0
    i64.gt_u
    if ;; label = @1
      i32.const -1
      i32.load8_u offset=4294967295
      drop
      unreachable
    end
    local.get 2
    i32.eqz
    if ;; label = @1
      local.get 0
      if ;; label = @2
        local.get 0
        i32.const 1
        i32.sub
        i32.load8_u
        drop
      end
      return
    end
  )
  (func (;4;) (type 0) (param i32 i32 i32)
    (local i32)
    local.get 1
    i64.extend_i32_u
    local.get 2
    i64.extend_i32_u
    i64.add
    global.get 1
    i64.extend_i32_u
    i64.gt_u
    if ;; label = @1
      i32.const -1
      i32.load8_u offset=4294967295
      drop
      unreachable
    end
    local.get 2
    i32.eqz
    if ;; label = @1
      local.get 0
      if ;; label = @2
        local.get 0
        i32.const 1
        i32.sub
        i32.load8_u
        drop
      end
      return
    end
  )
  (data (;0;) (i32.const 16) "active")
)
