;; A reason that begins inside of its memory and ends outside.
(data (i32.const 2048) (i32 1 1064 6 131000 1000))
(func (export "review") (param i32) (result i32) (i32.const 2048))
