;; Approves with line breaks, escapes and marks that turn the direction of writing.
(data (i32.const 2048) (i32 1 1064 6 2080 21))
(data (i32.const 2080) "one\0atwo\1b[2J\e2\80\ae\c2\85\7f\07\00")
(func (export "review") (param i32) (result i32) (i32.const 2048))
