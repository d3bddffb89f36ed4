;; Nine small memories.
;;; beside
(core module $m (memory 1))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
(core instance (instantiate $m))
