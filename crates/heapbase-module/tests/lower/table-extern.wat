;;! refused: table 0 of externref (table section, offset 0xb) needs reference-types: the first release of WebAssembly has only functions in tables
(module $m (table 4 externref))
