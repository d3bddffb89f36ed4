;; Divides the least number by minus one.
(func (export "review") (param i32) (result i32)
  (i32.div_s (i32.or (i32.const -2147483648) (i32.mul (local.get 0) (i32.const 0))) (i32.const -1)))
