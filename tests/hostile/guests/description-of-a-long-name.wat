;; Has a name of two hundred letters.
(func (export "describe") (result i32)
  (memory.fill (i32.const 8192) (i32.const 97) (i32.const 200))
  (i32.store (global.get $described) (i32.const 8192))
  (i32.store offset=4 (global.get $described) (i32.const 200))
  (global.get $described))
