;; Three tables, of which each is small enough.
(table 40000 funcref)
(table 40000 funcref)
(table 40000 funcref)
