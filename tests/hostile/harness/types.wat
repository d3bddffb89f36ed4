;; The types of the contract, as a component names them.
(import "tribunal:policy/types@0.1.0" (instance $types
  (type $attribute' (record (field "key" string) (field "values" (list string))))
  (export "attribute" (type $attribute (eq $attribute')))
  (type $request-state' (enum "pending" "approved" "denied" "promoted" "unknown"))
  (export "request-state" (type $request-state (eq $request-state')))
  (type $request-kind' (enum "short-term" "long-term" "unknown"))
  (export "request-kind" (type $request-kind (eq $request-kind')))
  (type $decider' (enum "nobody" "person" "tribunal" "other-bot"))
  (export "decider" (type $decider (eq $decider')))
  (type $requested-resource' (record
    (field "cluster" string) (field "kind" string) (field "name" string) (field "sub-resource" string)
    (field "labels" (option (list $attribute))) (field "constraints" (option string))))
  (export "requested-resource" (type $requested-resource (eq $requested-resource')))
  (type $review' (record
    (field "author" string) (field "state" $request-state) (field "reason" string) (field "created" u64)))
  (export "review" (type $review (eq $review')))
  (type $lock' (record
    (field "name" string) (field "message" string) (field "ours" bool) (field "expires" (option u64))))
  (export "lock" (type $lock (eq $lock')))
  (type $access-request' (record
    (field "id" string) (field "user" string) (field "state" $request-state) (field "kind" $request-kind)
    (field "roles" (list string)) (field "resources" (list $requested-resource)) (field "reason" string)
    (field "created" u64) (field "access-starts" (option u64)) (field "access-expires" (option u64))
    (field "decided-by" $decider) (field "resolve-reason" string) (field "reviews" (list $review))
    (field "suggested-reviewers" (list string)) (field "annotations" (list $attribute)) (field "locks" (list $lock))))
  (export "access-request" (type $access-request (eq $access-request')))
  (type $subject' (record
    (field "name" string) (field "bot" bool) (field "roles" (option (list string)))
    (field "traits" (option (list $attribute)))))
  (export "subject" (type $subject (eq $subject')))
  (type $fact' (record (field "name" string) (field "json" string) (field "fetched" u64) (field "fresh" bool)))
  (export "fact" (type $fact (eq $fact')))
  (type $case' (record
    (field "now" u64) (field "cluster" string) (field "subject" $subject) (field "requests" (list $access-request))
    (field "facts" (list $fact))))
  (export "case" (type $case (eq $case')))
  (type $ground' (record (field "rule" string) (field "reason" string)))
  (export "ground" (type $ground (eq $ground')))
  (type $opinion' (variant
    (case "abstain") (case "approve" $ground) (case "deny" (list $ground)) (case "escalate" $ground)))
  (export "opinion" (type $opinion (eq $opinion')))
  (type $lock-order' (record
    (field "request" string) (field "ground" $ground) (field "until" (option u64))))
  (export "lock-order" (type $lock-order (eq $lock-order')))
  (type $effect' (enum "approve" "deny" "escalate" "lock"))
  (export "effect" (type $effect (eq $effect')))
  (type $rule' (record (field "id" string) (field "summary" string)))
  (export "rule" (type $rule (eq $rule')))
  (type $description' (record
    (field "name" string) (field "version" string) (field "summary" string) (field "rules" (list $rule))
    (field "effects" (list $effect)) (field "settings-schema" string)))
  (export "description" (type $description (eq $description')))))
(alias export $types "case" (type $case))
(alias export $types "opinion" (type $opinion))
(alias export $types "lock-order" (type $lock-order))
(alias export $types "description" (type $description))
