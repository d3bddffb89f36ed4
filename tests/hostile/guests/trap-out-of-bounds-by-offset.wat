;; The same with an address and an offset that together need 33 bits.
(func (export "review") (param i32) (result i32) (i32.load offset=4294967292 (i32.const -4)))
