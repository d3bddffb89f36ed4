;; Reads beyond the end of its memory.
(func (export "review") (param i32) (result i32) (i32.load (i32.const -8)))
