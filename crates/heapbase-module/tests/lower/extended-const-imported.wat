;;! refused: a constant computed from an imported global (global section, offset 0x20) needs extended-const: its value is not known beforehand; link without position independence
(module $m
  (import "env" "base" (global $base i32))
  (global i32 (i32.add (global.get $base) (i32.const 1))))
