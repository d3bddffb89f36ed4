// SPDX-License-Identifier: LicenseRef-Proprietary

// Command my-policy: say here in one sentence what it is for, and what it must never do.
package main

import (
	"fmt"
	// @if review
	"strings"
	// @end

	"policy/tribunal"
)

// Settings are the operator's.
type Settings struct {
	// @if review
	MinWords int `json:"words-min"`
	// @end
	// @if enforce
	MostHeld int `json:"held-max"`
	// @end
}

var policy = tribunal.Policy[Settings]{
	Name:    "my-policy",
	Version: "0.1.0",
	Summary: "what an operator should know about it, in one line",
	Rules: []tribunal.Rule{
		// @if review
		{ID: "reason-too-short", Summary: "the reason says too little"},
		// @end
		// @if enforce
		{ID: "too-many-held", Summary: "the user holds more requests than allowed, and this is one of the oldest"},
		// @end
	},
	Effects: []tribunal.Effect{
		// @if review
		tribunal.EffectDeny,
		// @end
		// @if enforce
		tribunal.EffectLock,
		// @end
	},
	Settings: map[string]tribunal.Schema{
		// @if review
		"words-min": {
			Type: "integer", Minimum: tribunal.Number(1), Default: 3, Description: "Fewest words of a reason.",
		},
		// @end
		// @if enforce
		"held-max": {
			Type: "integer", Minimum: tribunal.Number(1), Default: 5, Description: "Most requests held at one time.",
		},
		// @end
	},
	// @if review
	Review: review,
	// @end
	// @if enforce

	Enforce: enforce,
	// @end
}

func init() { tribunal.Export(policy) }

func main() {}
// @if review

// What about this pending request? Approving is left to others.
func review(settings Settings, asked *tribunal.Case, request *tribunal.AccessRequest) tribunal.Opinion {
	words, least := len(strings.Fields(request.Reason)), settings.MinWords
	if words >= least {
		return tribunal.Abstain()
	}
	reason := fmt.Sprintf("say in at least %d words what the access is for: your reason has %d", least, words)
	return tribunal.Deny("reason-too-short", reason)
}
// @end
// @if enforce

// Which held requests must be locked now? The host also asks this as if a pending request were held.
func enforce(settings Settings, asked *tribunal.Case) []tribunal.LockOrder {
	var counted []*tribunal.AccessRequest
	for _, request := range asked.Held() {
		if !request.IsExempt() {
			counted = append(counted, request)
		}
	}
	reason := fmt.Sprintf("you hold more than %d requests: the oldest give way", settings.MostHeld)
	var orders []tribunal.LockOrder
	for i := 0; i < len(counted)-settings.MostHeld; i++ {
		orders = append(orders, tribunal.LockRequest(counted[i].ID, "too-many-held", reason))
	}
	return orders
}
// @end
