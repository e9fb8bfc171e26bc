;;! lowered saturating-float-to-int: 3 conversions became truncations behind a comparison
(module $m
  (func (param f32 f64)
    (drop (i32.trunc_sat_f32_s (local.get 0)))
    (drop (i64.trunc_sat_f64_u (local.get 1)))
    (drop (i64.trunc_sat_f64_u (local.get 1)))))
