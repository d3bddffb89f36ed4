;; Describes itself at length.
(func (export "describe") (result i32)
  (memory.fill (i32.const 8192) (i32.const 97) (i32.const 2000))
  (i32.store offset=16 (global.get $described) (i32.const 8192))
  (i32.store offset=20 (global.get $described) (i32.const 2000))
  (global.get $described))
