;; The honest policy, in parts: a guest that exports something of its own does without ours. It abstains, orders nothing, takes
;; any settings, and declares the rules `rule-a` and `rule-b` and all effects. Addresses have names.

(type $enforce (func (param i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(global $described i32 (i32.const 1144))
(global $configured i32 (i32.const 1192))
(global $abstain i32 (i32.const 1208))
(global $approve i32 (i32.const 1232))
(global $none i32 (i32.const 1256))
(global $heap (mut i32) (i32.const 65536))
(data (i32.const 1024) "guest")
(data (i32.const 1032) "1.0.0")
(data (i32.const 1040) "a guest of the corpus")
(data (i32.const 1064) "rule-a")
(data (i32.const 1072) "rule-b")
(data (i32.const 1080) "\00\01\02\03")
(data (i32.const 1088) "fine")
(data (i32.const 1096) "h1")
(data (i32.const 1104) "p1")
(data (i32.const 1112) (i32 1064 6 0 0) (i32 1072 6 0 0))
(data (i32.const 1144) (i32 1024 5) (i32 1032 5) (i32 1040 21) (i32 1112 2) (i32 1080 4) (i32 0 0))
(data (i32.const 1232) (i32 1) (i32 1064 6) (i32 1088 4))

(memory (export "memory") 2)

(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
  (global.set $heap (i32.add (local.get $at) (local.get 3)))
  (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
    (then (if (i32.eq (i32.const -1)
        (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536)))))
      (then (unreachable)))))
  (local.get $at))

(func (export "describe") (result i32) (global.get $described))

(func (export "configure") (param i32 i32) (result i32) (global.get $configured))

(func (export "review") (param i32) (result i32) (global.get $abstain))

(func (export "enforce") (type $enforce) (global.get $none))
