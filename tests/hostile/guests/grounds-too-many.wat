;; One ground more than there may be, all the same.
(data (i32.const 2048) (i32 2 8192 65))
(func (export "review") (param i32) (result i32)
  (local $at i32)
  (local.set $at (i32.const 8192))
  (loop $l
    (memory.copy (local.get $at) (i32.const 1236) (i32.const 16))
    (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.const 9232))))
  (i32.const 2048))
