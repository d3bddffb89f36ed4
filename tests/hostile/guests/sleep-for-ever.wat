;; Sleeps for a year, again and again: sleeping returns at once, so that this is a loop like any other.
(import "host" "subscribe" (func $subscribe (param i64) (result i32)))
(import "host" "block" (func $block (param i32)))
(import "host" "drop-pollable" (func $drop (param i32)))
(func (export "review") (param i32) (result i32)
  (local $year i32)
  (loop $l
    (local.set $year (call $subscribe (i64.const 31536000000000000)))
    (call $block (local.get $year))
    (call $drop (local.get $year))
    (br $l))
  (unreachable))
