;; Uses a proposal that no policy needs: memory that is shared.
;;; beside
(core module $m (memory 1 2 shared))
