;;! cannot be read: malformed module: there is no section with the identifier 42 (unknown-42 section, offset 0xa)
(module
  binary "\00asm\01\00\00\00"
  "\2a\03\61\62\63")
