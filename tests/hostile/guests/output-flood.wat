;; Writes a megabyte each to standard output and standard error, then panics.
(import "host" "stdout" (func $stdout (result i32)))
(import "host" "stderr" (func $stderr (result i32)))
(import "host" "write" (func $write (param i32 i32 i32 i32)))
(func (export "review") (param i32) (result i32)
  (local $n i32)
  (memory.fill (i32.const 8192) (i32.const 120) (i32.const 16384))
  (loop $l
    (call $write (call $stdout) (i32.const 8192) (i32.const 16384) (i32.const 2048))
    (call $write (call $stderr) (i32.const 8192) (i32.const 16384) (i32.const 2048))
    (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 64))))
  (unreachable))
