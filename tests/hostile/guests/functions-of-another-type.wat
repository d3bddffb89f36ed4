;; Exports what a policy exports, but none of it takes or gives anything.
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (export "describe" (func $f))
  (export "configure" (func $f))
  (export "review" (func $f))
  (export "enforce" (func $f)))
