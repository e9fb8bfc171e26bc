;; The import section is empty where its count should be.
;;! cannot be read: malformed module: unexpected end-of-file (import section, offset 0xa)
(module
  binary "\00asm\01\00\00\00"
  "\02\00")
