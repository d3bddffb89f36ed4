;; Uses data that it dropped.
(data $passive "gone")
(func (export "review") (param i32) (result i32)
  (data.drop $passive)
  (memory.init $passive (i32.const 2048) (i32.const 0) (i32.const 4))
  (unreachable))
