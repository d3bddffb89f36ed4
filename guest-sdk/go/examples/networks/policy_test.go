package main

import (
	"strings"
	"testing"

	"policy/tribunal"
	. "policy/tribunal/tribunaltest"
)

var office = map[string]any{"zones": []any{
	map[string]any{"name": "berlin", "from": []string{"10.1.0.0/16"}, "to": []string{"10.1.64.0/18", "2001:db8::/32"}},
	map[string]any{"name": "paris", "from": []string{"10.2.0.0/16"}, "to": []string{"10.2.64.0/18"}},
}}

func ask(t *testing.T, from string, to ...string) tribunal.Opinion {
	at := func(r *tribunal.AccessRequest) {
		for i, address := range to {
			r.Resources[i].Labels = []tribunal.Attribute{{Key: "address", Values: []string{address}}}
		}
	}
	asked := CaseOf("alice", Pending("r1", Nodes([]string{"a", "b"}[:len(to)]...), at))
	asked.Subject.Traits = []tribunal.Attribute{{Key: "address", Values: strings.Fields(from)}}
	return Configure(t, policy, office).Review(asked, "r1")
}

func TestZones(t *testing.T) {
	for name, test := range map[string]struct {
		opinion  tribunal.Opinion
		expected tribunal.OpinionKind
	}{
		"the own zone":               {ask(t, "10.1.3.4", "10.1.64.1", "2001:db8::7"), tribunal.Approves},
		"another zone":               {ask(t, "10.1.3.4", "10.1.64.1", "10.2.64.1"), tribunal.Denies},
		"from nowhere":               {ask(t, "192.0.2.1", "10.1.64.1"), tribunal.Denies},
		"from two zones at once":     {ask(t, "10.1.3.4 10.2.3.4", "10.1.64.1"), tribunal.Denies},
		"mapped into IPv6":           {ask(t, "::ffff:10.1.3.4", "10.1.64.1"), tribunal.Approves},
		"a user without an address":  {ask(t, "", "10.1.64.1"), tribunal.Escalates},
		"an address that is none":    {ask(t, "10.1.3.4", "10.1.64"), tribunal.Escalates},
		"whole roles are for others": {ask(t, "10.1.3.4"), tribunal.Abstains},
	} {
		if test.opinion.Kind != test.expected {
			t.Errorf("%s: %v", name, test.opinion)
		}
	}
}

func TestEveryResourceThatIsElsewhereIsNamed(t *testing.T) {
	if grounds := ask(t, "10.1.3.4", "10.2.64.1", "10.2.64.2").Grounds; len(grounds) != 2 {
		t.Error(grounds)
	}
}

func TestNetworksThatAreNoneAreTold(t *testing.T) {
	zone := map[string]any{"name": "x", "from": []string{"10.1.0.1/16"}, "to": []string{"10.1.0.0"}}
	if faults := FaultsOf(t, policy, map[string]any{"zones": []any{zone}}); len(faults) != 2 {
		t.Error(faults)
	}
}
