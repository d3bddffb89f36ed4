;; Denies on a million grounds, all of them zeros of its memory.
(memory (export "memory") 300)
(data (i32.const 2048) (i32 2 65536 1000000))
(func (export "review") (param i32) (result i32) (i32.const 2048))
