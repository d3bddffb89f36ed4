;; Wants something that nobody knows.
(component (import "anything:else/at-all" (instance)))
