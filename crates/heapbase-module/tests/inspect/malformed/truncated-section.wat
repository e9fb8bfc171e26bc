;; The type section promises more than there is.
(module
  binary "\00asm\01\00\00\00"
  "\01\0a\01\60")
