;;! refused: the instruction `RefNull` (code section, offset 0x1f) needs reference-types: the first release of WebAssembly has nothing that does the same; build the module without it
(module $m (table 4 funcref) (func (table.set (i32.const 0) (ref.null func))))
