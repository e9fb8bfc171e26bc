;;! refused: the instruction `F32x4Add` (code section, offset 0x1d) needs simd: its NaNs are not looked after; lower the module first, or build it without
(module $m (func (param v128) (result v128) (f32x4.add (local.get 0) (local.get 0))))
