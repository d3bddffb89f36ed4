;; Declares a larger table than there may be.
(table 200000 funcref)
