;; Never comes out of its start function.
(func $start (loop $l (br $l)))
(start $start)
