;; Orders two locks on one request.
(data (i32.const 2048) (i32 2056 2))
(data (i32.const 2056) (i32 1096 2 1064 6 1088 4 0 0 0 0))
(data (i32.const 2096) (i32 1096 2 1064 6 1088 4 0 0 0 0))
(func (export "enforce") (type $enforce) (i32.const 2048))
