;; Ends the process.
(import "host" "exit" (func $exit (param i32)))
(func (export "review") (param i32) (result i32) (call $exit (i32.const 0)) (unreachable))
