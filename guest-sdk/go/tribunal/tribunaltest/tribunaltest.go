// Package tribunaltest is for the tests of a policy: cases with plausible defaults, and the policy as the host asks it. It must
// never build a case that the host could not, nor be part of a component.
package tribunaltest

import (
	"encoding/json"
	"slices"
	"testing"

	"policy/tribunal"
)

// NowMS is the time of a case that does not say otherwise: 2026-01-01 12:00 UTC.
const NowMS tribunal.Timestamp = 1_767_268_800_000

// How long before now the first request was created that does not say otherwise; each further one a second later.
const (
	firstRequestAgeMS = 3_600_000
	requestStepMS     = 1_000
)

// Request changes a request that has plausible defaults.
type Request func(*tribunal.AccessRequest)

// Pending is a request that waits for a decision.
func Pending(id string, given ...Request) tribunal.AccessRequest {
	request := tribunal.AccessRequest{ID: id}
	for _, change := range given {
		change(&request)
	}
	return request
}

// Held is a request that this host approved and that gives access.
func Held(id string, given ...Request) tribunal.AccessRequest {
	approved := func(r *tribunal.AccessRequest) { r.State, r.DecidedBy = tribunal.Approved, tribunal.Tribunal }
	return Pending(id, append([]Request{approved}, given...)...)
}

// Nodes adds nodes of the root cluster without labels.
func Nodes(names ...string) Request {
	return func(r *tribunal.AccessRequest) {
		for _, name := range names {
			node := tribunal.Resource{Cluster: "root", Kind: "node", Name: name, LabelsKnown: true}
			r.Resources = append(r.Resources, node)
		}
	}
}

// Exempt is what the operator does not want locked.
func Exempt(why string) Request {
	return func(r *tribunal.AccessRequest) {
		exempt := tribunal.Attribute{Key: tribunal.ExemptAnnotation, Values: []string{why}}
		r.Annotations = append(r.Annotations, exempt)
	}
}

// Locked is under somebody else's lock without end.
func Locked(name string) Request {
	return func(r *tribunal.AccessRequest) { r.Locks = append(r.Locks, tribunal.Lock{Name: name}) }
}

// CaseOf is a case about this user, its requests oldest first.
func CaseOf(user string, requests ...tribunal.AccessRequest) *tribunal.Case {
	subject := tribunal.Subject{Name: user, RolesKnown: true, TraitsKnown: true}
	for i := range requests {
		requests[i].User = user
		if requests[i].Created == 0 {
			requests[i].Created = min(NowMS, NowMS-firstRequestAgeMS+tribunal.Timestamp(i)*requestStepMS)
		}
	}
	slices.SortFunc(requests, func(a, b tribunal.AccessRequest) int { return tribunal.ByAge(&a, &b) })
	return &tribunal.Case{Now: NowMS, Cluster: "root", Subject: subject, Requests: requests}
}

// Configured is a policy that took its settings.
type Configured struct {
	t         *testing.T
	policy    tribunal.Adapted
	described tribunal.Description
}

// Configure gives a policy these settings, as the host does.
func Configure[S any](t *testing.T, policy tribunal.Policy[S], settings map[string]any) Configured {
	t.Helper()
	adapted := policy.Adapt()
	if faults := adapted.Configure(text(t, settings)); len(faults) > 0 {
		t.Fatalf("refuses its settings: %q", faults)
	}
	return Configured{t, adapted, adapted.Describe()}
}

// FaultsOf is what a policy finds wrong with these settings.
func FaultsOf[S any](t *testing.T, policy tribunal.Policy[S], settings map[string]any) []string {
	t.Helper()
	return policy.Adapt().Configure(text(t, settings))
}

// Review asks about a request; what would be a fault in the host fails the test.
func (c Configured) Review(asked *tribunal.Case, request string) tribunal.Opinion {
	c.t.Helper()
	opinion := c.policy.Review(asked, request)
	switch opinion.Kind {
	case tribunal.Approves:
		c.admit(tribunal.EffectApprove, opinion.Grounds)
	case tribunal.Denies:
		c.admit(tribunal.EffectDeny, opinion.Grounds)
	case tribunal.Escalates:
		c.admit(tribunal.EffectEscalate, opinion.Grounds)
	case tribunal.Abstains:
	}
	return opinion
}

// Enforce asks which requests must be locked, and gives their ids; what would be a fault in the host fails the test.
func (c Configured) Enforce(asked *tribunal.Case) []string {
	c.t.Helper()
	var ids []string
	for _, order := range c.policy.Enforce(asked) {
		c.admit(tribunal.EffectLock, []tribunal.Ground{order.Ground})
		request := asked.Find(order.Request)
		if request == nil || request.State != tribunal.Approved || slices.Contains(ids, order.Request) {
			c.t.Errorf("locks %q, which is not an approved request of the case, or twice", order.Request)
		}
		ids = append(ids, order.Request)
	}
	return ids
}

func (c Configured) admit(effect tribunal.Effect, grounds []tribunal.Ground) {
	c.t.Helper()
	if !slices.Contains(c.described.Effects, effect) {
		c.t.Errorf("the effect %d is not described", effect)
	}
	if len(grounds) == 0 {
		c.t.Error("answers without a ground")
	}
	for _, ground := range grounds {
		if !slices.ContainsFunc(c.described.Rules, func(rule tribunal.Rule) bool { return rule.ID == ground.Rule }) {
			c.t.Errorf("rule %q is not described", ground.Rule)
		}
		if ground.Reason == "" || len(ground.Reason) > tribunal.ReasonBytesMax {
			c.t.Errorf("the reason of rule %q is empty or too long", ground.Rule)
		}
	}
}

func text(t *testing.T, settings map[string]any) string {
	t.Helper()
	if settings == nil {
		return "{}"
	}
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
