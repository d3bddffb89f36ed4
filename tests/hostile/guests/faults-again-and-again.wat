;; Traps about everybody, until nobody asks it any more.
(func (export "review") (param i32) (result i32) (unreachable))
