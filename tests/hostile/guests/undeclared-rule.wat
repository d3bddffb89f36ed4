;; Denies by a rule that it does not declare.
(data (i32.const 2048) (i32 2 2064 1))
(data (i32.const 2064) (i32 2080 6 1088 4))
(data (i32.const 2080) "rule-x")
(func (export "review") (param i32) (result i32) (i32.const 2048))
