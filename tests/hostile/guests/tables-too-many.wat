;; More tables than there may be.
;;; beside
(core module $m (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref)
  (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
