;;! refused: table 1 of funcref (table section, offset 0xe) needs reference-types: the first release of WebAssembly has one table
(module $m (table 4 funcref) (table 4 funcref))
