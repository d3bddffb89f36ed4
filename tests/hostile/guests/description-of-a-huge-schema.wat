;; Has a schema of settings of a megabyte.
(memory (export "memory") 20)
(func (export "describe") (result i32)
  (memory.fill (i32.const 65536) (i32.const 32) (i32.const 1000000))
  (i32.store offset=40 (global.get $described) (i32.const 65536))
  (i32.store offset=44 (global.get $described) (i32.const 1000000))
  (global.get $described))
