;; The first of two bodies ends early.
;;! cannot be read: malformed module: unexpected end-of-file (code section, function 1, offset 0x1a)
(module
  binary "\00asm\01\00\00\00"
  "\01\04\01\60\00\00"
  "\03\03\02\00\00"
  "\0a\14\02\02\00\0b\09\00")
