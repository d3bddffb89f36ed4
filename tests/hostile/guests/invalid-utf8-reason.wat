;; A reason that is no text.
(data (i32.const 2048) (i32 1 1064 6 2080 4))
(data (i32.const 2080) "\ff\fe\c0\80")
(func (export "review") (param i32) (result i32) (i32.const 2048))
