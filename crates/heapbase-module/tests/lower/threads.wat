;;! refused: memory 0 (memory section, offset 0x15) needs threads: it is shared between threads; compile without threads
(module $m (memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0)))))
