;; Nodes ask the section, then the entry point.
;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! warning no-version: section export 0x25: neither a `runtime_version` section nor the entry point `Core_version`: nodes cannot tell the version
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Metadata_metadata") (param i32 i32) (result i64) (i64.const 0)))
