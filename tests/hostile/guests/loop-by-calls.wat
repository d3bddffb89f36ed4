;; Two functions that call each other's loops, so that no single loop is long.
(func $one (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
(func (export "review") (param i32) (result i32)
  (local $n i32)
  (loop $l (local.set $n (call $one (local.get $n))) (br $l))
  (unreachable))
