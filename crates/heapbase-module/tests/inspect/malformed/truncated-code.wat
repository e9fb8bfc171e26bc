;; The first of two bodies ends early.
(module
  binary "\00asm\01\00\00\00"
  "\01\04\01\60\00\00"
  "\03\03\02\00\00"
  "\0a\14\02\02\00\0b\09\00")
