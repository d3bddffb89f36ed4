;; Logs what is beyond the end of its memory.
(import "host" "log" (func $log (param i32 i32 i32)))
(func (export "review") (param i32) (result i32)
  (call $log (i32.const 2) (i32.const -8) (i32.const 100))
  (unreachable))
