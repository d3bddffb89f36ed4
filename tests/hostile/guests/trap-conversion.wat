;; Makes an integer of what is no number.
(func (export "review") (param i32) (result i32)
  (i32.trunc_f64_s (f64.div (f64.const 0) (f64.convert_i32_s (i32.mul (local.get 0) (i32.const 0))))))
