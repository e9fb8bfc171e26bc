;;! refused: memory 1 (memory section, offset 0xd) needs multi-memory: the first release of WebAssembly has one memory
(module $m (memory 1) (memory 1))
