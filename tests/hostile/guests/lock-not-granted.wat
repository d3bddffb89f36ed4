;; Orders a lock, which it may not.
(data (i32.const 2048) (i32 2056 1))
(data (i32.const 2056) (i32 1096 2 1064 6 1088 4 0 0 0 0))
(func (export "enforce") (type $enforce) (i32.const 2048))
