;; A million lock orders, all of them well formed.
(memory (export "memory") 700)
(data (i32.const 2048) (i32 65536 1000000))
(data (i32.const 2056) (i32 1096 2 1064 6 1088 4 0 0 0 0))
(func (export "enforce") (type $enforce)
  (local $at i32)
  (local.set $at (i32.const 65536))
  (memory.copy (local.get $at) (i32.const 2056) (i32.const 40))
  ;; Each copy doubles what is there.
  (local.set $at (i32.const 40))
  (loop $l
    (memory.copy (i32.add (i32.const 65536) (local.get $at)) (i32.const 65536) (local.get $at))
    (br_if $l (i32.lt_u (local.tee $at (i32.mul (local.get $at) (i32.const 2))) (i32.const 20000000))))
  (i32.const 2048))
