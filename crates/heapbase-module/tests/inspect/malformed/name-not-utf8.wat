;;! cannot be read: malformed module: malformed UTF-8 encoding (custom section, offset 0xc)
(module
  binary "\00asm\01\00\00\00"
  "\00\03\02\ff\ff")
