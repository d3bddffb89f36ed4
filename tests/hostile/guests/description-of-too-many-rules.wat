;; Declares a thousand rules, all the same.
(func (export "describe") (result i32)
  (local $at i32)
  (local.set $at (i32.const 8192))
  (loop $l
    (memory.copy (local.get $at) (i32.const 1112) (i32.const 16))
    (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (i32.const 24192))))
  (i32.store offset=24 (global.get $described) (i32.const 8192))
  (i32.store offset=28 (global.get $described) (i32.const 1000))
  (global.get $described))
