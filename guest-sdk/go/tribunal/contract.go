// Package tribunal is what the author of a policy in Go uses: the types of the contract, answers, and questions that most
// policies ask of a case. It must never give a policy a clock, randomness, files or a network: a policy sees its settings
// and its case.
package tribunal

// Timestamp is milliseconds since the Unix epoch, UTC.
type Timestamp = uint64

// Attribute is a key with its values: a trait of a user, a label of a resource, an annotation of a request.
type Attribute struct {
	Key    string
	Values []string
}

// RequestState is Teleport's; one that the contract does not know arrives as StateUnknown.
type RequestState uint8

// The states of a request.
const (
	Pending RequestState = iota
	Approved
	Denied
	Promoted
	StateUnknown
)

// RequestKind says what a request aims at.
type RequestKind uint8

// The kinds of requests.
const (
	ShortTerm RequestKind = iota
	LongTerm
	KindUnknown
)

// Decider is who decided a request that is no longer pending.
type Decider uint8

// Who decides.
const (
	Nobody Decider = iota
	Person
	Tribunal
	OtherBot
)

// Resource is one resource that a request names.
type Resource struct {
	Cluster string
	// Kind is Teleport's, such as node, db, app, kube_cluster.
	Kind        string
	Name        string
	SubResource string
	// LabelsKnown is false where the labels could not be read, which is not the same as "has no labels".
	LabelsKnown bool
	Labels      []Attribute
	// Constraints is Teleport's JSON; nil: there are none.
	Constraints *string
}

// Review is one person's or machine's review of a request.
type Review struct {
	Author  string
	State   RequestState
	Reason  string
	Created Timestamp
}

// Lock is one that is in force on a request.
type Lock struct {
	Name    string
	Message string
	// Ours is true where an earlier policy of this panel orders it in this round.
	Ours bool
	// Expires is nil where it is in force until somebody deletes it.
	Expires *Timestamp
}

// AccessRequest is Teleport's AccessRequestV3.
type AccessRequest struct {
	ID        string
	User      string
	State     RequestState
	Kind      RequestKind
	Roles     []string
	Resources []Resource
	// Reason is the requester's words: not to be trusted.
	Reason  string
	Created Timestamp
	// AccessStarts is nil where it is usable as soon as it is approved.
	AccessStarts *Timestamp
	// AccessExpires is nil where it is not known.
	AccessExpires      *Timestamp
	DecidedBy          Decider
	ResolveReason      string
	Reviews            []Review
	SuggestedReviewers []string
	Annotations        []Attribute
	Locks              []Lock
}

// Subject is the user whose requests are judged.
type Subject struct {
	Name string
	Bot  bool
	// RolesKnown is false where the host may not see the standing roles.
	RolesKnown bool
	Roles      []string
	// TraitsKnown is false where the host may not see the traits.
	TraitsKnown bool
	Traits      []Attribute
}

// Fact is data that the operator configured.
type Fact struct {
	Name    string
	JSON    string
	Fetched Timestamp
	// Fresh is false where it is older than the operator allows.
	Fresh bool
}

// Case is all that the host knows about one subject at one time.
type Case struct {
	// Now is the only clock of a policy.
	Now     Timestamp
	Cluster string
	Subject Subject
	// Requests are oldest first, equal ages by id.
	Requests []AccessRequest
	Facts    []Fact
}

// Ground is why: the rule that fired and a sentence for people.
type Ground struct {
	Rule   string
	Reason string
}

// OpinionKind tells opinions apart.
type OpinionKind uint8

// The kinds of opinions.
const (
	Abstains OpinionKind = iota
	Approves
	Denies
	Escalates
)

// Opinion is an answer about a pending request. Make it with Abstain, Approve, Deny, DenyAll or Escalate.
type Opinion struct {
	Kind OpinionKind
	// Grounds is one for approvals and escalations, at least one for denials.
	Grounds []Ground
}

// LockOrder names a held request that must be locked now. Make it with LockRequest.
type LockOrder struct {
	Request string
	Ground  Ground
	// Until is nil where the lock lasts as long as the request's access.
	Until *Timestamp
}

// Effect is what an answer may bring about.
type Effect uint8

// The effects.
const (
	EffectApprove Effect = iota
	EffectDeny
	EffectEscalate
	EffectLock
)

// Rule is one that grounds may name.
type Rule struct {
	ID      string
	Summary string
}

// Description is what a policy says about itself.
type Description struct {
	Name           string
	Version        string
	Summary        string
	Rules          []Rule
	Effects        []Effect
	SettingsSchema string
}
