;; Traps half-way, after it wrote to its memory.
(func (export "enforce") (type $enforce)
  (i32.store (i32.const 60000) (i32.const 1))
  (unreachable))
