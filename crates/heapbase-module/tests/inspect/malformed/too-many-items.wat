;; Four billion imports in one byte.
;;! cannot be read: malformed module: unexpected end-of-file (import section, offset 0xf)
(module
  binary "\00asm\01\00\00\00"
  "\02\05\ff\ff\ff\ff\0f")
