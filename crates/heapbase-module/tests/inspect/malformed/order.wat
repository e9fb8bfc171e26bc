;; The function section comes before the type section.
;;! cannot be read: malformed module: section out of order (type section, offset 0xe)
(module
  binary "\00asm\01\00\00\00"
  "\03\02\01\00"
  "\01\04\01\60\00\00")
