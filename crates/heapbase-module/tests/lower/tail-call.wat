;;! refused: the instruction `ReturnCall` (code section, offset 0x17) needs tail-call: the first release of WebAssembly has nothing that does the same; build the module without it
(module $m (func $f return_call $f))
