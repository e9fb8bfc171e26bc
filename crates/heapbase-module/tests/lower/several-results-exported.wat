;;! refused: the exported function `pair`, which has several results, (export section, offset 0x17) needs multi-value: the host expects them in a way that the first release of WebAssembly does not have; drop the export
(module $m (func (export "pair") (result i32 i32) i32.const 1 i32.const 2))
