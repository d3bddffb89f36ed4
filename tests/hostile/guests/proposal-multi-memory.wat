;; Uses a proposal that no policy needs: two memories in a module.
(memory $second 1)
