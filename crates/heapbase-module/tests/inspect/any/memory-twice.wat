;; A stock node turns the import into an export, and then there are two of one name.
;;! legacy, conforms
;;! memory both, 17 pages
;;! heap base 0x100000
;;! warning memory-twice: section export memory 0x34: memory is both imported and exported; stock nodes turn the import into a second export of this name
(module
  (import "env" "memory" (memory 17))
  (export "memory" (memory 0))
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))
