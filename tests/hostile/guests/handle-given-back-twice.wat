;; Gives one handle back twice.
(import "host" "subscribe" (func $subscribe (param i64) (result i32)))
(import "host" "drop-pollable" (func $drop (param i32)))
(func (export "review") (param i32) (result i32)
  (local $handle i32)
  (local.set $handle (call $subscribe (i64.const 1)))
  (call $drop (local.get $handle))
  (call $drop (local.get $handle))
  (unreachable))
