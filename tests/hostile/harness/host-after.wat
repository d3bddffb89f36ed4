;; Leads the stand-ins to the functions proper, now that the guest and its memory are there.
(core func $log (canon lower (func $log "write") (memory $main "memory")))
(core func $write (canon lower
  (func $streams "[method]output-stream.blocking-write-and-flush") (memory $main "memory")))
(core func $random-bytes (canon lower
  (func $random "get-random-bytes") (memory $main "memory") (realloc (func $main "cabi_realloc"))))
(core func $poll (canon lower
  (func $poll "poll") (memory $main "memory") (realloc (func $main "cabi_realloc"))))
(core func $wall (canon lower (func $wall "now") (memory $main "memory")))
(core func $seed (canon lower (func $insecure-seed "insecure-seed") (memory $main "memory")))
(core module $lead
  (import "" "table" (table 6 funcref))
  (import "" "log" (func $log (param i32 i32 i32)))
  (import "" "write" (func $write (param i32 i32 i32 i32)))
  (import "" "random-bytes" (func $random-bytes (param i64 i32)))
  (import "" "poll" (func $poll (param i32 i32 i32)))
  (import "" "wall" (func $wall (param i32)))
  (import "" "seed" (func $seed (param i32)))
  (elem (i32.const 0) func $log $write $random-bytes $poll $wall $seed))
(core instance (instantiate $lead (with "" (instance
  (export "table" (table $stand-ins "table"))
  (export "log" (func $log))
  (export "write" (func $write))
  (export "random-bytes" (func $random-bytes))
  (export "poll" (func $poll))
  (export "wall" (func $wall))
  (export "seed" (func $seed))))))
