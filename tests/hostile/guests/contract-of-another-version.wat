;; Speaks a version of the contract that this host does not.
(component (import "tribunal:policy/types@0.9.0" (instance)))
