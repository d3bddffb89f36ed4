;; Takes as many table elements as it gets, and more.
(table $t 1 funcref)
(func (export "review") (param i32) (result i32)
  (loop $l (br_if $l (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 10000)))))
  (unreachable))
