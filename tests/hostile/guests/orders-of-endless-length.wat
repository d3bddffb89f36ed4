;; A list of lock orders that is as long as a number can be.
(data (i32.const 2048) (i32 65536 -1))
(func (export "enforce") (type $enforce) (i32.const 2048))
