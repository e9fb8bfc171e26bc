;;! lowered multi-value: 6 blocks and calls pass values in variables or globals
(module $m
  (func (export "block") (param $x i32) (result i32)
    local.get $x
    i32.const 7
    (block $b (param i32 i32) (result i32 i32)
      (br_if $b (local.get $x))
      i32.add
      i32.const 1)
    i32.sub)
  (func (export "loop") (param $x i32) (result i32)
    i32.const 0
    local.get $x
    (loop $l (param i32 i32) (result i32)
      local.set $x
      local.get $x
      i32.add
      (i32.sub (local.get $x) (i32.const 1))
      local.tee $x
      local.get $x
      br_if $l
      drop))
  (func (export "if") (param $x i32) (result i64) (local $y i64)
    local.get $x
    i64.const 5
    local.get $x
    (if (param i32 i64) (result i64 i64)
      (then drop drop (i64.const 6) (i64.const 7))
      (else i64.const 1 i64.add local.set $y i64.extend_i32_u local.get $y))
    i64.add)
  (func (export "if_without_else") (param $x i32) (result i32)
    local.get $x
    i32.const 3
    local.get $x
    (if (param i32 i32) (result i32 i32) (then drop drop i32.const 10 i32.const 20))
    i32.sub
    local.get $x
    (if (param i32) (result i32) (then i32.const 100 i32.add)))
  (type $nothing (func))
  (func (export "plain") (block (type $nothing))))
