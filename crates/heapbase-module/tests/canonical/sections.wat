;;! made the NaN of 1 instruction canonical; 0 others cannot be seen
;;! dropped the custom section `.debug_line`: places in the code have moved
(module $m
  (@custom ".debug_line" "offsets")
  (@custom "kept" "as it is")
  (func (export "f") (param $x f32) (result f32) (local $y f64) (block $b) (f32.sqrt (local.get $x))))
