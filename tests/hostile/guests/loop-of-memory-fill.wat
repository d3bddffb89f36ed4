;; Fills all the memory that it can have by single instructions, for ever: the host cannot look in between.
(memory (export "memory") 1000)
(func (export "review") (param i32) (result i32)
  (loop $l (memory.fill (i32.const 65536) (i32.const 7) (i32.const 65470464)) (br $l))
  (unreachable))
