;; Ends the process that loads it.
(import "host" "exit" (func $exit (param i32)))
(func (export "describe") (result i32) (call $exit (i32.const 1)) (unreachable))
