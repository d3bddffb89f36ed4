;; Uses a proposal that no policy needs: exceptions.
(tag $e)
(func (throw $e))
