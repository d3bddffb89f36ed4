;; Logs what is no text.
(import "host" "log" (func $log (param i32 i32 i32)))
(data (i32.const 2048) "\ff\fe")
(func (export "review") (param i32) (result i32)
  (call $log (i32.const 2) (i32.const 2048) (i32.const 2))
  (unreachable))
