;;! refused: the imported function `env.pair`, which has several results, (import section, offset 0x13) needs multi-value: the host returns them in a way that the first release of WebAssembly does not have
(module $m (import "env" "pair" (func (result i32 i32))))
