;; Its functions do not fit into its table.
(table $t 1 funcref)
(elem (table $t) (i32.const 1) func $g)
(func $g)
