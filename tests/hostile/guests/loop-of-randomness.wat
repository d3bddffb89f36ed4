;; Asks the host for random bytes, as many as it may, for ever.
(import "host" "random-bytes" (func $random-bytes (param i64 i32)))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
(memory (export "memory") 3)
(func (export "review") (param i32) (result i32)
  (loop $l (call $random-bytes (i64.const 65536) (i32.const 2048)) (br $l))
  (unreachable))
