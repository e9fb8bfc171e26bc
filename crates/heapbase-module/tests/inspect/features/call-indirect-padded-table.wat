;; Five bytes for the index of the table: what linkers write since reference types.
(module
  binary "\00asm\01\00\00\00"
  "\01\04\01\60\00\00"
  "\03\02\01\00"
  "\04\04\01\70\00\01"
  "\05\03\01\00\11"
  "\07\0a\01\06\6d\65\6d\6f\72\79\02\00"
  "\0a\0d\01\0b\00\41\00\11\00\80\80\80\80\00\0b")
