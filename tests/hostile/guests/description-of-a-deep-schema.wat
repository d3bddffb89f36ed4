;; Has a schema of settings of a hundred thousand arrays in each other.
(memory (export "memory") 4)
(data (i32.const 65536) "{\"a\":")
(func (export "describe") (result i32)
  (memory.fill (i32.const 65541) (i32.const 91) (i32.const 100000))
  (i32.store offset=40 (global.get $described) (i32.const 65536))
  (i32.store offset=44 (global.get $described) (i32.const 100005))
  (global.get $described))
