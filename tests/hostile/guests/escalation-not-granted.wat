;; Leaves it to people, which it may not.
(func (export "review") (param i32) (result i32)
  (i32.store8 (global.get $approve) (i32.const 3))
  (global.get $approve))
