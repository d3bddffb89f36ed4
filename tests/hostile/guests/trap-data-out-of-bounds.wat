;; Its data do not fit into its memory.
(data (i32.const 131070) "beyond")
