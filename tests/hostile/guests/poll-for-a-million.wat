;; Waits for a million things.
(import "host" "poll" (func $poll (param i32 i32 i32)))
(memory (export "memory") 100)
(func (export "review") (param i32) (result i32)
  (call $poll (i32.const 65536) (i32.const 1000000) (i32.const 2064))
  (unreachable))
