;; No component at all.
(module)
