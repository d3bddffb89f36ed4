;; An answer at an odd address.
(func (export "review") (param i32) (result i32) (i32.const 1209))
