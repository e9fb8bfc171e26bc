;;! refused: memory 0 (memory section, offset 0xb) needs memory64: its addresses have 64 bits; compile for wasm32
(module $m (memory i64 1))
