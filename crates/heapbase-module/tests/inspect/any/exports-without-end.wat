;; A hundred helpers make twenty notes and a count.
;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x100000
;;! note not-an-entry-point: section export f0 0xb6: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f1 0xbb: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f2 0xc0: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f3 0xc5: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f4 0xca: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f5 0xcf: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f6 0xd4: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f7 0xd9: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f8 0xde: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f9 0xe3: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f10 0xe8: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f11 0xee: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f12 0xf4: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f13 0xfa: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f14 0x100: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f15 0x106: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f16 0x10c: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f17 0x112: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f18 0x118: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export f19 0x11e: not callable as an entry point: its type is `()`, not `(i32, i32) -> i64`
;;! note more:: `not-an-entry-point` in 80 more places
(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (export "f0"))
  (func (export "f1"))
  (func (export "f2"))
  (func (export "f3"))
  (func (export "f4"))
  (func (export "f5"))
  (func (export "f6"))
  (func (export "f7"))
  (func (export "f8"))
  (func (export "f9"))
  (func (export "f10"))
  (func (export "f11"))
  (func (export "f12"))
  (func (export "f13"))
  (func (export "f14"))
  (func (export "f15"))
  (func (export "f16"))
  (func (export "f17"))
  (func (export "f18"))
  (func (export "f19"))
  (func (export "f20"))
  (func (export "f21"))
  (func (export "f22"))
  (func (export "f23"))
  (func (export "f24"))
  (func (export "f25"))
  (func (export "f26"))
  (func (export "f27"))
  (func (export "f28"))
  (func (export "f29"))
  (func (export "f30"))
  (func (export "f31"))
  (func (export "f32"))
  (func (export "f33"))
  (func (export "f34"))
  (func (export "f35"))
  (func (export "f36"))
  (func (export "f37"))
  (func (export "f38"))
  (func (export "f39"))
  (func (export "f40"))
  (func (export "f41"))
  (func (export "f42"))
  (func (export "f43"))
  (func (export "f44"))
  (func (export "f45"))
  (func (export "f46"))
  (func (export "f47"))
  (func (export "f48"))
  (func (export "f49"))
  (func (export "f50"))
  (func (export "f51"))
  (func (export "f52"))
  (func (export "f53"))
  (func (export "f54"))
  (func (export "f55"))
  (func (export "f56"))
  (func (export "f57"))
  (func (export "f58"))
  (func (export "f59"))
  (func (export "f60"))
  (func (export "f61"))
  (func (export "f62"))
  (func (export "f63"))
  (func (export "f64"))
  (func (export "f65"))
  (func (export "f66"))
  (func (export "f67"))
  (func (export "f68"))
  (func (export "f69"))
  (func (export "f70"))
  (func (export "f71"))
  (func (export "f72"))
  (func (export "f73"))
  (func (export "f74"))
  (func (export "f75"))
  (func (export "f76"))
  (func (export "f77"))
  (func (export "f78"))
  (func (export "f79"))
  (func (export "f80"))
  (func (export "f81"))
  (func (export "f82"))
  (func (export "f83"))
  (func (export "f84"))
  (func (export "f85"))
  (func (export "f86"))
  (func (export "f87"))
  (func (export "f88"))
  (func (export "f89"))
  (func (export "f90"))
  (func (export "f91"))
  (func (export "f92"))
  (func (export "f93"))
  (func (export "f94"))
  (func (export "f95"))
  (func (export "f96"))
  (func (export "f97"))
  (func (export "f98"))
  (func (export "f99")))
