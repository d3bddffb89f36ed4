;; Never says what to lock.
(func (export "enforce") (type $enforce) (loop $l (br $l)) (unreachable))
