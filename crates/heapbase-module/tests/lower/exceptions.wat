;;! refused: a tag (tag section, offset 0x14) needs exceptions: the first release of WebAssembly has no exceptions; compile without them
(module $m (tag $t) (func (throw $t)))
