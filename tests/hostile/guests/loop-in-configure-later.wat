;; Takes its settings while it is loaded, and never again.
(import "host" "now" (func $now (result i64)))
(func (export "configure") (param i32 i32) (result i32)
  (if (i64.gt_u (call $now) (i64.const 1)) (then (loop $l (br $l))))
  (global.get $configured))
