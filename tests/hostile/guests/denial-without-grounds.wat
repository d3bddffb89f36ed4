;; Denies, and does not say why.
(data (i32.const 2048) (i32 2 2064 0))
(func (export "review") (param i32) (result i32) (i32.const 2048))
