(module
  binary "\00asm\01\00\00\00"
  "\2a\03\61\62\63")
