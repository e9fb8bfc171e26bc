;;! nothing to do
;;@ sign extension
(module $m (func (param i32) (result i32) (i32.extend8_s (local.get 0))))
