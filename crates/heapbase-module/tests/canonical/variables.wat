;;! made the NaN of 2 instructions canonical; 2 others cannot be seen
(module $m
  (func $never_seen (param $x f64) (param $n i32) (result i32)
    (loop $again
      (local.set $x (f64.add (local.get $x) (f64.const 1.5)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.trunc_f64_s (local.get $x)))
  (func $seen_at_the_end (param $x f64) (param $n i32) (result i64) (local $y f64)
    (loop $again
      (local.set $y (local.get $x))
      (local.set $x (f64.mul (local.get $y) (f64.const 1.5)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.reinterpret_f64 (local.get $y)))
  (func $tee (param $x f32) (result i32) (local $y f32)
    (drop (f32.eq (local.tee $y (f32.demote_f64 (f64.promote_f32 (local.get $x)))) (f32.const 0)))
    (i32.reinterpret_f32 (local.get $y))))
