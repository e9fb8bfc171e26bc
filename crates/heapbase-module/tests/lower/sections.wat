;;! lowered sign-extension: 1 instruction became shifts or loads with a sign
;;! dropped the custom section `.debug_info`: places in the code have moved
(module $m
  (@custom "target_features" (before func) "\03+\08sign-ext+\0fmutable-globals+\04simd")
  (@custom ".debug_info" "offsets")
  (@custom "kept" "as it is")
  (func (param i32) (result i32) (i32.extend8_s (local.get 0))))
