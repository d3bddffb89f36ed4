;; Finds a thousand faults in its settings.
(memory (export "memory") 2)
(func (export "configure") (param i32 i32) (result i32)
  (local $at i32)
  (local.set $at (i32.const 70000))
  (loop $l
    (i32.store (local.get $at) (i32.const 1088))
    (i32.store offset=4 (local.get $at) (i32.const 4))
    (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 78000))))
  (i32.store (global.get $configured) (i32.const 1))
  (i32.store offset=4 (global.get $configured) (i32.const 70000))
  (i32.store offset=8 (global.get $configured) (i32.const 1000))
  (global.get $configured))
