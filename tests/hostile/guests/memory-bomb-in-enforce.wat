;; The same when it is asked what to lock.
(func (export "enforce") (type $enforce)
  (local $at i32)
  (loop $l
    (local.set $at (i32.mul (memory.size) (i32.const 65536)))
    (if (i32.ne (i32.const -1) (memory.grow (i32.const 16)))
      (then (memory.fill (local.get $at) (i32.const 7) (i32.const 1048576)) (br $l))))
  (unreachable))
