;; Has a name that clears the terminal.
(data (i32.const 2048) "a\1b[2Jb")
(func (export "describe") (result i32)
  (i32.store (global.get $described) (i32.const 2048))
  (i32.store offset=4 (global.get $described) (i32.const 6))
  (global.get $described))
