;; The id of a request that is half a surrogate pair.
(data (i32.const 2048) (i32 2056 1))
(data (i32.const 2056) (i32 2096 3 1064 6 1088 4 0 0 0 0))
(data (i32.const 2096) "\ed\a0\80")
(func (export "enforce") (type $enforce) (i32.const 2048))
