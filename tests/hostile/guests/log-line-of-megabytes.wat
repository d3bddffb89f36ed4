;; One line of five megabytes.
(import "host" "log" (func $log (param i32 i32 i32)))
(memory (export "memory") 100)
(func (export "review") (param i32) (result i32)
  (call $log (i32.const 2) (i32.const 65536) (i32.const 5000000))
  (unreachable))
