;; Declares more memory than there may be.
(memory (export "memory") 2000)
