;; 0xff is no instruction.
;;! cannot be read: malformed module: illegal opcode: 0xff (code section, function 0, offset 0x17)
(module
  binary "\00asm\01\00\00\00"
  "\01\04\01\60\00\00"
  "\03\02\01\00"
  "\0a\05\01\03\00\ff\0b")
