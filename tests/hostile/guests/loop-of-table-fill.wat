;; Fills a table by single instructions, for ever.
(table $t 100000 funcref)
(func (export "review") (param i32) (result i32)
  (loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 100000)) (br $l))
  (unreachable))
