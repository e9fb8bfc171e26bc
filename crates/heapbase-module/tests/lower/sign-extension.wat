;;! lowered sign-extension: 8 instructions became shifts or loads with a sign
(module $m
  (memory 1)
  (func (param i32) (result i32) (i32.extend8_s (local.get 0)))
  (func (param i32) (result i32) (i32.extend16_s (local.get 0)))
  (func (param i64) (result i64) (i64.extend8_s (local.get 0)))
  (func (param i64) (result i64) (i64.extend16_s (local.get 0)))
  (func (param i64) (result i64) (i64.extend32_s (local.get 0)))
  (func (param i32) (result i32) (i32.extend8_s (i32.load8_u offset=3 (local.get 0))))
  (func (param i32) (result i32) (i32.extend16_s (i32.load8_u (local.get 0))))
  (func (param i32) (result i64) (i64.extend32_s (i64.load32_u offset=300 align=1 (local.get 0)))))
