;; Calls a function as if it took other parameters.
(type $f (func (param i64 i64)))
(table $t 1 funcref)
(elem (table $t) (i32.const 0) func $g)
(func $g)
(func (export "review") (param i32) (result i32)
  (call_indirect $t (type $f) (i64.const 1) (i64.const 2) (i32.const 0))
  (unreachable))
