;;! refused: type 0, which is not only a function's, (type section, offset 0xb) needs gc: the first release of WebAssembly has only types of functions
(module $m (type $s (struct (field i32))))
