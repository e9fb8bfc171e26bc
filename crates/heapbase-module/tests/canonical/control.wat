;;! made the NaN of 6 instructions canonical; 3 others cannot be seen
(module $m
  (func $block (param f64) (result i32)
    (i32.trunc_f64_s (block (result f64) (f64.sqrt (local.get 0)))))
  (func $if (param f64 i32) (result i32)
    (i32.trunc_f64_s
      (if (result f64) (local.get 1) (then (f64.sqrt (local.get 0))) (else (f64.abs (f64.floor (local.get 0)))))))
  (func $beneath (param f64 i32) (result i32)
    (f64.sqrt (local.get 0))
    (block $b (br_if $b (local.get 1)) (drop (f64.ceil (local.get 0))))
    f64.const 1
    f64.lt)
  (func $choice (param f64) (result i32)
    (f64.lt (select (f64.sqrt (local.get 0)) (f64.const 0) (i32.const 1)) (f64.const 1)))
  (func $dead (param f64) (result f64)
    (br 0 (f64.sqrt (local.get 0)))
    f64.add
    f64.ceil
    i64.reinterpret_f64
    unreachable))
