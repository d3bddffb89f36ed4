;; Writes to standard error, for ever.
(import "host" "stderr" (func $stderr (result i32)))
(import "host" "write" (func $write (param i32 i32 i32 i32)))
(func (export "review") (param i32) (result i32)
  (local $out i32)
  (local.set $out (call $stderr))
  (loop $l (call $write (local.get $out) (i32.const 0) (i32.const 4096) (i32.const 2048)) (br $l))
  (unreachable))
