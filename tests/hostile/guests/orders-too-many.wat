;; One lock order more than there may be.
(memory (export "memory") 4)
(data (i32.const 2048) (i32 65536 1001))
(data (i32.const 2056) (i32 1096 2 1064 6 1088 4 0 0 0 0))
(func (export "enforce") (type $enforce)
  (local $at i32)
  (local.set $at (i32.const 65536))
  (loop $l
    (memory.copy (local.get $at) (i32.const 2056) (i32.const 40))
    (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 40))) (i32.const 105576))))
  (i32.const 2048))
