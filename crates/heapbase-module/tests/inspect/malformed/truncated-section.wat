;; The type section promises more than there is.
;;! cannot be read: malformed module: unexpected end-of-file (type section, offset 0xa)
(module
  binary "\00asm\01\00\00\00"
  "\01\0a\01\60")
