;; Calls an element of a table that has none.
(type $f (func))
(table $t 1 funcref)
(func (export "review") (param i32) (result i32) (call_indirect $t (type $f) (i32.const 0)) (unreachable))
