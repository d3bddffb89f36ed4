;; Logs a hundred kilobytes at a time.
(import "host" "log" (func $log (param i32 i32 i32)))
(memory (export "memory") 4)
(func (export "review") (param i32) (result i32)
  (memory.fill (i32.const 65536) (i32.const 97) (i32.const 100000))
  (loop $l (call $log (i32.const 2) (i32.const 65536) (i32.const 100000)) (br $l))
  (unreachable))
