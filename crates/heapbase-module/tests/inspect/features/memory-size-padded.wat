;; Five bytes for the index of the memory.
;;! legacy, conforms
;;! memory exported, 17 pages
;;! heap base 0x8
;;! feature multi-memory 1 times from 0x54, refused
;;! warning refused-feature: section code 0x54: uses multi-memory (1 in all), which stock nodes refuse
(module
  binary "\00asm\01\00\00\00"
  "\01\0a\02\60\00\00\60\02\7f\7f\01\7e"
  "\03\03\02\00\01"
  "\05\03\01\00\11"
  "\06\06\01\7f\00\41\08\0b"
  "\07\27\03\06\6d\65\6d\6f\72\79\02\00\0b\5f\5f\68\65\61\70\5f\62\61\73\65\03\00\0c\43\6f\72\65\5f\76\65\72\73\69\6f\6e\00\01"
  "\0a\10\02\09\00\3f\80\80\80\80\00\1a\0b\04\00\42\00\0b")
