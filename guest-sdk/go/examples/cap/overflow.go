package main

import (
	"slices"

	"policy/tribunal"
)

// One thing that takes a unit of the limit; equal things in several requests take one together.
type item [5]string

// A request that counts, with what it takes.
type holding struct {
	request *tribunal.AccessRequest
	items   map[item]bool
}

func holdingOf(settings Settings, request *tribunal.AccessRequest) holding {
	items := map[item]bool{}
	switch {
	case settings.Unit == "requests":
		items[item{"request", request.ID}] = true
	case settings.Unit == "roles":
		for _, role := range request.Roles {
			items[item{"role", role}] = true
		}
	case settings.RoleOnlyRequests == "count" && len(request.Resources) == 0:
		items[item{"request", request.ID}] = true
	default:
		for _, of := range request.Resources {
			items[item{"resource", of.Cluster, of.Kind, of.Name, of.SubResource}] = true
		}
	}
	return holding{request, items}
}

// Which requests give way, oldest first.
func giveWay(settings Settings, asked *tribunal.Case, holdings []holding) []*tribunal.AccessRequest {
	slices.SortFunc(holdings, func(a, b holding) int { return tribunal.ByAge(a.request, b.request) })
	kept := tally{}
	if settings.Promoted == "count" {
		for _, request := range promoted(asked) {
			kept.add(holdingOf(settings, request).items)
		}
	}
	rule := oldestFirst
	if settings.Order == "skip-fit" {
		rule = skipFit
	}
	losers := rule(settings.MaxResources, kept, holdings)
	tribunal.SortByAge(losers)
	return losers
}

// The oldest give way until what is left fits beside what is permanent.
func oldestFirst(most int, kept tally, holdings []holding) []*tribunal.AccessRequest {
	// Those that cannot fit even alone go first: no older one has to give way for them.
	var fitting, losers []holding
	for _, one := range holdings {
		if kept.hasRoomFor(one.items, most) {
			fitting = append(fitting, one)
		} else {
			losers = append(losers, one)
		}
	}
	for _, one := range fitting {
		kept.add(one.items)
	}
	for _, oldest := range fitting {
		if len(kept) <= most {
			break
		}
		kept.remove(oldest.items)
		losers = append(losers, oldest)
	}
	// One that newer requests cover altogether made no room by going.
	var lost []*tribunal.AccessRequest
	for _, loser := range losers {
		if kept.more(loser.items) > 0 {
			lost = append(lost, loser.request)
		}
	}
	return lost
}

// From the newest to the oldest, what does not fit beside what was kept.
func skipFit(most int, kept tally, holdings []holding) []*tribunal.AccessRequest {
	var lost []*tribunal.AccessRequest
	for _, newest := range slices.Backward(holdings) {
		if kept.hasRoomFor(newest.items, most) {
			kept.add(newest.items)
		} else {
			lost = append(lost, newest.request)
		}
	}
	return lost
}

// The distinct things of several requests, each with the number of requests that hold it.
type tally map[item]int

func (t tally) add(items map[item]bool) {
	for one := range items {
		t[one]++
	}
}

func (t tally) remove(items map[item]bool) {
	for one := range items {
		if t[one]--; t[one] == 0 {
			delete(t, one)
		}
	}
}

// Units that these would add.
func (t tally) more(items map[item]bool) int {
	more := 0
	for one := range items {
		if t[one] == 0 {
			more++
		}
	}
	return more
}

func (t tally) hasRoomFor(items map[item]bool, most int) bool {
	more := t.more(items)
	return more == 0 || len(t)+more <= most
}
