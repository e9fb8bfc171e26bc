;; Core 2: no transaction version either.
;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! RuntimeVersion { spec_name: "test", impl_name: "impl", authoring_version: 1, spec_version: 2, impl_version: 3, transaction_version: 1, system_version: 0 }
;;! API 0xdf6acb689907609b Some("Core") 2
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (@custom "runtime_version" "\10\74\65\73\74\10\69\6d\70\6c\01\00\00\00\02\00\00\00\03\00\00\00\00")
  (@custom "runtime_apis" "\df\6a\cb\68\99\07\60\9b\02\00\00\00"))
