;;! refused: the instruction `I32AtomicLoad` (code section, offset 0x21) needs threads: the first release of WebAssembly has nothing that does the same; build the module without it
(module $m (memory 1) (func (drop (i32.const 0)) (drop (i32.atomic.load (i32.const 0)))))
