// SPDX-License-Identifier: Apache-2.0

// Command networks: who is in a network of the office may have what is in the networks that belong to it. It must never
// guess an address: a user or a resource without one that is understood is left to people.
package main

import (
	"fmt"
	"net/netip"
	"strings"

	"policy/tribunal"
)

// Settings are the operator's.
type Settings struct {
	// Trait holds the user's addresses.
	Trait string `json:"trait"`
	// Label holds a resource's address.
	Label string `json:"label"`
	// Zones are what belongs together.
	Zones []Zone `json:"zones"`
}

// Zone is the networks of users and the networks of resources that they may reach.
type Zone struct {
	Name string   `json:"name"`
	From []string `json:"from"`
	To   []string `json:"to"`
}

var networks = tribunal.Schema{Type: "array", MinItems: 1, Items: &tribunal.Schema{Type: "string"}}

var policy = tribunal.Policy[Settings]{
	Name:    "networks",
	Version: "0.1.0",
	Summary: "approves what is in a network that belongs to the user's, and denies what is not",
	Rules: []tribunal.Rule{
		{ID: "same-zone", Summary: "user and resources are in one zone"},
		{ID: "other-zone", Summary: "a resource is in no zone of the user"},
		{ID: "no-address", Summary: "the address of the user or of a resource is not known"},
	},
	Effects: []tribunal.Effect{tribunal.EffectApprove, tribunal.EffectDeny, tribunal.EffectEscalate},
	Settings: map[string]tribunal.Schema{
		"trait": {Type: "string", MinLength: 1, Default: "address", Description: "The trait that holds the user's addresses."},
		"label": {Type: "string", MinLength: 1, Default: "address", Description: "The label that holds a resource's address."},
		"zones": {
			Type: "array", MinItems: 1, Description: "Networks of users, and those that belong to them.",
			Default: []any{map[string]any{"name": "private", "from": []string{"10.0.0.0/8"}, "to": []string{"10.0.0.0/8"}}},
			Items: &tribunal.Schema{
				Type: "object", Required: []string{"name", "from", "to"},
				Properties: map[string]tribunal.Schema{"name": {Type: "string"}, "from": networks, "to": networks},
			},
		},
	},
	Check:  check,
	Review: review,
}

func init() { tribunal.Export(policy) }

func main() {}

func check(settings Settings) (faults []string) {
	for _, zone := range settings.Zones {
		for _, network := range append(zone.From, zone.To...) {
			if prefix, err := netip.ParsePrefix(network); err != nil || prefix != prefix.Masked() {
				faults = append(faults, fmt.Sprintf("`zones`: `%s` of `%s` is no network such as `10.1.0.0/16`", network, zone.Name))
			}
		}
	}
	return faults
}

func review(settings Settings, asked *tribunal.Case, request *tribunal.AccessRequest) tribunal.Opinion {
	if len(request.Resources) == 0 {
		return tribunal.Abstain()
	}
	from, known := tribunal.Values(asked.Subject.Traits, settings.Trait)
	sources, understood := addresses(from)
	if !known || !understood {
		return tribunal.Escalate("no-address", fmt.Sprintf("the trait `%s` holds no address of yours", settings.Trait))
	}
	var reachable []string
	for _, zone := range settings.Zones {
		if all(sources, zone.From) {
			reachable = append(reachable, zone.To...)
		}
	}
	var grounds []tribunal.Ground
	for i := range request.Resources {
		resource := &request.Resources[i]
		labels, known := tribunal.Values(resource.Labels, settings.Label)
		targets, understood := addresses(labels)
		if !known || !understood {
			reason := fmt.Sprintf("the label `%s` of %s holds no address", settings.Label, resource.Path())
			return tribunal.Escalate("no-address", reason)
		}
		if !all(targets, reachable) {
			reason := fmt.Sprintf("%s at %s is in no zone of yours", resource.Path(), strings.Join(labels, ", "))
			grounds = append(grounds, tribunal.Because("other-zone", reason))
		}
	}
	if len(grounds) > 0 {
		return tribunal.DenyAll(grounds)
	}
	return tribunal.Approve("same-zone", "you and all that you ask for are in one zone")
}

func addresses(texts []string) (found []netip.Addr, understood bool) {
	for _, text := range texts {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return nil, false
		}
		found = append(found, address.Unmap())
	}
	return found, len(found) > 0
}

// all says whether each address is in one of the networks.
func all(addresses []netip.Addr, networks []string) bool {
	for _, address := range addresses {
		inside := false
		for _, network := range networks {
			prefix, err := netip.ParsePrefix(network)
			inside = inside || err == nil && prefix.Contains(address)
		}
		if !inside {
			return false
		}
	}
	return true
}
