;; Approves, which it may not.
(func (export "review") (param i32) (result i32) (global.get $approve))
