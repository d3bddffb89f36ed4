package main

import (
	"slices"
	"testing"

	"policy/tribunal"
	. "policy/tribunal/tribunaltest"
)

// Held requests with one node of their own each.
func hoard(ids ...string) []tribunal.AccessRequest {
	var requests []tribunal.AccessRequest
	for _, id := range ids {
		requests = append(requests, Held(id, Nodes(id)))
	}
	return requests
}

func lost(t *testing.T, order string, requests ...tribunal.AccessRequest) []string {
	return Configure(t, policy, map[string]any{"order": order}).Enforce(CaseOf("alice", requests...))
}

func ask(t *testing.T, requests ...tribunal.AccessRequest) tribunal.Opinion {
	return Configure(t, policy, nil).Review(CaseOf("alice", requests...), "new")
}

func TestACompliantRequestIsApproved(t *testing.T) {
	if opinion := ask(t, Pending("new", Nodes("a", "b", "c"))); opinion.Kind != tribunal.Approves {
		t.Error(opinion)
	}
}

func TestARequestThatAloneExceedsTheCapIsDenied(t *testing.T) {
	opinion := ask(t, Pending("new", Nodes("a", "b", "c", "d")))
	if opinion.Kind != tribunal.Denies || opinion.Grounds[0].Reason != "Request contains 4 resources, exceeds limit of 3" {
		t.Error(opinion)
	}
}

func TestARequestThatWouldBeLockedAtOnceIsLeftToPeople(t *testing.T) {
	if opinion := ask(t, Pending("new", Nodes("a")), Held("newer", Nodes("b", "c", "d"))); opinion.Kind != tribunal.Escalates {
		t.Error(opinion)
	}
}

func TestTheOldestGiveWay(t *testing.T) {
	sizes := func() []tribunal.AccessRequest {
		return []tribunal.AccessRequest{Held("old", Nodes("a")), Held("mid", Nodes("b", "c")), Held("new", Nodes("d", "e"))}
	}
	covered := []tribunal.AccessRequest{Held("covered", Nodes("a")), Held("b", Nodes("b", "c")), Held("new", Nodes("a", "d"))}
	silent := append(hoard("a", "b", "c"), Held("locked", Locked("x")), Held("exempt", Exempt("y")))
	for name, test := range map[string]struct {
		order    string
		requests []tribunal.AccessRequest
		lost     []string
	}{
		"one too many":           {"oldest-first", hoard("a", "b", "c", "d"), []string{"a"}},
		"all older ones":         {"oldest-first", sizes(), []string{"old", "mid"}},
		"only what does not fit": {"skip-fit", sizes(), []string{"mid"}},
		"not what is covered":    {"oldest-first", covered, []string{"b"}},
		"not for what is silent": {"oldest-first", silent, nil},
	} {
		if ids := lost(t, test.order, test.requests...); !slices.Equal(ids, test.lost) {
			t.Errorf("%s: %q", name, ids)
		}
	}
}

func TestAllFaultsOfTheSettingsAreToldAtOnce(t *testing.T) {
	if faults := FaultsOf(t, policy, map[string]any{"max-resources": 0, "unit": "nodes", "max": 3}); len(faults) != 3 {
		t.Error(faults)
	}
}
