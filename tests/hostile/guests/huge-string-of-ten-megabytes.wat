;; A reason of ten megabytes.
(memory (export "memory") 200)
(data (i32.const 2048) (i32 3 1064 6 65536 10000000))
(func (export "review") (param i32) (result i32) (i32.const 2048))
