;; Waits for standard error as if it were a timer.
(import "host" "stderr" (func $stderr (result i32)))
(import "host" "block" (func $block (param i32)))
(func (export "review") (param i32) (result i32) (call $block (call $stderr)) (unreachable))
