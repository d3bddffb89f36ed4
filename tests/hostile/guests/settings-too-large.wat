;; Honest, but given settings that are too large.
