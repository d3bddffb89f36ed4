;; Declares an effect that is none of the four.
(func (export "describe") (result i32)
  (i32.store8 (i32.const 1081) (i32.const 200))
  (global.get $described))
