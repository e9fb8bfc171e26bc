;;! refused: the instruction `TableCopy` (code section, offset 0x23) needs bulk-memory: in the first release of WebAssembly nothing changes a table while the module runs
(module $m (table 4 funcref) (func (table.copy (i32.const 0) (i32.const 0) (i32.const 0))))
