;;! refused: type 0 with a value of type externref (type section, offset 0xb) needs reference-types: the first release of WebAssembly has only the numbers i32, i64, f32 and f64
(module $m (func (param externref)))
