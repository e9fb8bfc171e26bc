;;! refused: the instruction `TableInit` (code section, offset 0x29) needs bulk-memory: in the first release of WebAssembly nothing changes a table while the module runs
(module $m (table 4 funcref) (elem $e func) (func (table.init $e (i32.const 0) (i32.const 0) (i32.const 0))))
