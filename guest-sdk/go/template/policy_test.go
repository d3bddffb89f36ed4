package main

import (
	// @if enforce
	"slices"
	// @end
	"testing"

	// @if review
	"policy/tribunal"
	// @end
	. "policy/tribunal/tribunaltest"
)

// @if review
func TestAReasonThatSaysTooLittleIsDenied(t *testing.T) {
	ask := func(reason string) tribunal.Opinion {
		because := func(r *tribunal.AccessRequest) { r.Reason = reason }
		return Configure(t, policy, nil).Review(CaseOf("alice", Pending("r1", because)), "r1")
	}
	if opinion := ask("database is slow"); opinion.Kind != tribunal.Abstains {
		t.Error(opinion)
	}
	expected := "say in at least 3 words what the access is for: your reason has 1"
	if opinion := ask(" please "); opinion.Kind != tribunal.Denies || opinion.Grounds[0].Reason != expected {
		t.Error(opinion)
	}
}

// @end
// @if enforce
func TestTheOldestGiveWayAndTheExemptDoNotCount(t *testing.T) {
	asked := CaseOf("alice", Held("a"), Held("b", Exempt("on call")), Held("c"), Held("d"))
	ids := Configure(t, policy, map[string]any{"held-max": 2}).Enforce(asked)
	if !slices.Equal(ids, []string{"a"}) {
		t.Error(ids)
	}
}

// @end
func TestAMisspeltKeyOfTheSettingsIsTold(t *testing.T) {
	if faults := FaultsOf(t, policy, map[string]any{"no-such-key": 1}); len(faults) != 1 {
		t.Error(faults)
	}
}
