;; Orders a lock on a request of another user, whose id it knows.
(data (i32.const 2048) (i32 2056 1))
(data (i32.const 2056) (i32 2096 11 1064 6 1088 4 0 0 0 0))
(data (i32.const 2096) "h1-of-bob's")
(func (export "enforce") (type $enforce) (i32.const 2048))
