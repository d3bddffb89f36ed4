;; Three memories, of which each is small enough.
;;; beside
(core module $m (memory 400))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
