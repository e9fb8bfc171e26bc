;;! refused: an empty place in an element segment (element section, offset 0x20) needs reference-types: where the segment lies only the host knows
(module $m
  (import "env" "base" (global $base i32))
  (table 9 funcref)
  (elem (global.get $base) funcref (ref.null func)))
