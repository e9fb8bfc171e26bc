;;! nothing to do
(module $m (func $f (export "f") (call $f)))
