;;! refused: the import `env.g` (import section, offset 0xb) needs mutable-global: the value would be the host's too; import functions that read and write it
(module $m (import "env" "g" (global $g (mut i32))))
