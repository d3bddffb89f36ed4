;; A hundred thousand grounds whose reasons are all the same 64 kilobytes of memory.
(memory (export "memory") 40)
(data (i32.const 2048) (i32 2 65536 100000))
(func (export "review") (param i32) (result i32)
  (local $at i32)
  (local.set $at (i32.const 65536))
  (loop $l
    (i32.store (local.get $at) (i32.const 1064))
    (i32.store offset=4 (local.get $at) (i32.const 6))
    (i32.store offset=8 (local.get $at) (i32.const 0))
    (i32.store offset=12 (local.get $at) (i32.const 65536))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br_if $l (i32.lt_u (local.get $at) (i32.const 1665536))))
  (i32.const 2048))
