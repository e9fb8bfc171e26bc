;; A function without a body.
;;! cannot be read: malformed module: function section has non-zero count but code section is absent (function section, offset 0x12)
(module
  binary "\00asm\01\00\00\00"
  "\01\04\01\60\00\00"
  "\03\02\01\00")
