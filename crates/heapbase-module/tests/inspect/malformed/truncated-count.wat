;; The import section is empty where its count should be.
(module
  binary "\00asm\01\00\00\00"
  "\02\00")
