;; Uses a proposal that no policy needs: memory of 64 bits.
;;; beside
(core module $m (memory i64 1))
