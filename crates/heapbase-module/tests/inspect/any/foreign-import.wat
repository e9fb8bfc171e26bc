;; What a Go or C toolchain leaves behind.
;;! legacy, does not conform
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! error foreign-import: section import wasi_snapshot_preview1.fd_write 0x1c: imported from `wasi_snapshot_preview1`, but hosts provide `env` only
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
