;; Gives the host room that ends before what it asked for.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (select (i32.const 65536) (i32.const 131068) (i32.le_u (local.get 3) (i32.const 2))))
