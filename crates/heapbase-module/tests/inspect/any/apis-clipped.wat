;; Eleven bytes; and one API that nobody knows.
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (@custom "runtime_apis" "\01\01\01\01\01\01\01\01\01\01\01\01\df\6a\cb\68\99\07\60\9b\04\00\00"))
