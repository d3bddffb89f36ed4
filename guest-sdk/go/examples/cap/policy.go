// SPDX-License-Identifier: Apache-2.0

// Command cap: at most so many resources for a user at one time; what is held longest gives way to what is new. It must never
// count what gives no access, and never lock a request whose loss makes no room.
package main

import (
	"fmt"

	"policy/tribunal"
)

// Settings are the operator's.
type Settings struct {
	MaxResources     int    `json:"max-resources"`
	Unit             string `json:"unit"`
	Order            string `json:"order"`
	WhenCompliant    string `json:"when-compliant"`
	RoleOnlyRequests string `json:"role-only-requests"`
	Promoted         string `json:"promoted"`
}

var policy = tribunal.Policy[Settings]{
	Name:    "cap",
	Version: "0.1.0",
	Summary: "at most so many resources for a user, the oldest give way",
	Rules: []tribunal.Rule{
		{ID: "within-cap", Summary: "the request fits the limit once older ones have given way"},
		{ID: "request-over-cap", Summary: "the request alone exceeds the limit"},
		{ID: "newer-fill-cap", Summary: "newer or permanent access fills the limit and does not give way to this request"},
		{ID: "held-over-cap", Summary: "the held requests exceed the limit and this one gives way"},
	},
	Effects: []tribunal.Effect{
		tribunal.EffectApprove, tribunal.EffectDeny, tribunal.EffectEscalate, tribunal.EffectLock,
	},
	Settings: map[string]tribunal.Schema{
		"max-resources": {
			Type: "integer", Minimum: tribunal.Number(1), Maximum: tribunal.Number(4294967295), Default: 3,
		},
		"unit":               {Enum: []any{"resources", "requests", "roles"}, Default: "resources"},
		"order":              {Enum: []any{"oldest-first", "skip-fit"}, Default: "oldest-first"},
		"when-compliant":     {Enum: []any{"approve", "abstain"}, Default: "approve"},
		"role-only-requests": {Enum: []any{"count", "ignore"}, Default: "count"},
		"promoted":           {Enum: []any{"ignore", "count"}, Default: "ignore"},
	},
	Review:  review,
	Enforce: enforce,
}

func init() { tribunal.Export(policy) }

func main() {}

func review(settings Settings, asked *tribunal.Case, request *tribunal.AccessRequest) tribunal.Opinion {
	most, unit := settings.MaxResources, settings.Unit
	wanted := holdingOf(settings, request)
	if len(wanted.items) > most {
		reason := fmt.Sprintf("Request contains %d %s, exceeds limit of %d", len(wanted.items), unit, most)
		return tribunal.Deny("request-over-cap", reason)
	}
	if ignored := len(promoted(asked)); settings.Promoted == "ignore" && ignored > 0 {
		const why = "their access is permanent (setting `promoted`)"
		tribunal.Log(tribunal.Warn, fmt.Sprintf("%d promoted requests are not counted: %s", ignored, why))
	}
	// What enforcement would lock if the request were approved must not be the request itself.
	holdings := []holding{wanted}
	for _, other := range counted(settings, asked) {
		if other.request.ID != request.ID {
			holdings = append(holdings, other)
		}
	}
	for _, loser := range giveWay(settings, asked, holdings) {
		if loser.ID == request.ID {
			const filled = "Newer or permanent access already fills the limit of %d %s: this request would be locked at once"
			return tribunal.Escalate("newer-fill-cap", fmt.Sprintf(filled, most, unit))
		}
	}
	if settings.WhenCompliant == "abstain" {
		return tribunal.Abstain()
	}
	return tribunal.Approve("within-cap", "Auto-approved: complies with access policies")
}

func enforce(settings Settings, asked *tribunal.Case) []tribunal.LockOrder {
	reason := fmt.Sprintf("Exceeded maximum approved %s limit (%d)", settings.Unit, settings.MaxResources)
	var orders []tribunal.LockOrder
	for _, loser := range giveWay(settings, asked, counted(settings, asked)) {
		orders = append(orders, tribunal.LockRequest(loser.ID, "held-over-cap", reason))
	}
	return orders
}

// What counts: held requests that the operator does not exempt.
func counted(settings Settings, asked *tribunal.Case) []holding {
	var holdings []holding
	for _, request := range asked.Held() {
		if !request.IsExempt() {
			holdings = append(holdings, holdingOf(settings, request))
		}
	}
	return holdings
}

func promoted(asked *tribunal.Case) []*tribunal.AccessRequest {
	var lasting []*tribunal.AccessRequest
	for _, request := range asked.InState(tribunal.Promoted) {
		if !request.HasExpired(asked.Now) {
			lasting = append(lasting, request)
		}
	}
	return lasting
}
