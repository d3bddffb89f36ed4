;; Calls the host while the host waits for room.
(import "host" "random" (func $random (result i64)))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (if (i32.gt_u (local.get 3) (i32.const 2)) (then (drop (call $random))))
  (i32.const 65536))
