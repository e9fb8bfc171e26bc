;;! refused: a variable of type funcref (code section, offset 0x17) needs reference-types: the first release of WebAssembly has only the numbers i32, i64, f32 and f64
(module $m (func (local funcref)))
