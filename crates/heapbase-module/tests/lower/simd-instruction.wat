;;! refused: the instruction `V128Load` (code section, offset 0x1e) needs simd: the first release of WebAssembly has nothing that does the same; build the module without it
(module $m (memory 1) (func (drop (v128.load (i32.const 0)))))
