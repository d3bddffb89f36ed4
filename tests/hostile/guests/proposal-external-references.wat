;; Uses what no policy needs: references to things of the host, for which there is a heap beside its memory.
(table $x 1 externref)
