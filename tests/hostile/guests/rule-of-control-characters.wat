;; Approves by a rule that moves the cursor of whoever reads it.
(data (i32.const 2048) (i32 1 2080 8 1088 4))
(data (i32.const 2080) "a\1b[2J\0ab")
(func (export "review") (param i32) (result i32) (i32.const 2048))
