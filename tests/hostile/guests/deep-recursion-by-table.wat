;; The same through a table, so that no compiler sees it, when it is asked what to lock.
(type $f (func))
(table $t 1 funcref)
(elem (table $t) (i32.const 0) func $deep)
(func $deep (type $f) (call_indirect $t (type $f) (i32.const 0)) (drop (i64.const 1)))
(func (export "enforce") (type $enforce) (call $deep) (global.get $none))
