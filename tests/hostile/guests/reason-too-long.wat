;; A reason one byte longer than a reason may be.
(data (i32.const 2048) (i32 1 1064 6 8192 4097))
(func (export "review") (param i32) (result i32)
  (memory.fill (i32.const 8192) (i32.const 97) (i32.const 4097))
  (i32.const 2048))
