;; Wants something of the contract's package that the contract has not.
(component (import "tribunal:policy/secrets@0.1.0" (instance)))
