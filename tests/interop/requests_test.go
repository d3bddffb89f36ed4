package interop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gravitational/teleport/api/client"
	authpb "github.com/gravitational/teleport/api/client/proto"
	"github.com/gravitational/teleport/api/types"
	"github.com/gravitational/teleport/api/utils"
)

func TestRequestsAreMadeAndRead(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	wished := wish("alice", []string{"prod-admin"})
	wished.SetRequestReason("disk full")
	made := must(alice.CreateAccessRequestV2(within(t), wished))(t)
	if made.GetName() == wished.GetName() {
		t.Error("the server names requests")
	}
	_, err := uuid.Parse(made.GetName())
	done(t, err)
	read := must(bot.GetAccessRequests(within(t), types.AccessRequestFilter{ID: made.GetName()}))(t)
	if len(read) != 1 {
		t.Fatalf("read: %v", read)
	}
	request := read[0]
	same(t, "user", request.GetUser(), "alice")
	same(t, "roles", strings.Join(request.GetRoles(), " "), "prod-admin")
	same(t, "reason", request.GetRequestReason(), "disk full")
	same(t, "state", request.GetState(), types.RequestState_PENDING)
	same(t, "kind", request.GetKind(), types.KindAccessRequest)
	same(t, "version", request.GetVersion(), types.V3)
	same(t, "annotation", strings.Join(request.GetSystemAnnotations()["tier"], " "), "gold")
	same(t, "reviewers", strings.Join(request.GetSuggestedReviewers(), " "), "rita")
	same(t, "thresholds", len(request.GetThresholds()), 1)
	if since := time.Since(request.GetCreationTime()); since < -time.Minute || since > time.Minute {
		t.Errorf("created %v ago", since)
	}
	if left := time.Until(request.GetAccessExpiry()); left <= 0 || left > 31*time.Hour {
		t.Errorf("access for %v", left)
	}
	if left := time.Until(request.GetMaxDuration()); left <= 0 {
		t.Errorf("a maximal duration of %v", left)
	}
	// Teleport's own check of what came.
	done(t, request.(*types.AccessRequestV3).CheckAndSetDefaults())
}

func TestAWishForResourcesFindsItsRoles(t *testing.T) {
	c := serve(t)
	made := must(c.as(t, "alice").CreateAccessRequestV2(within(t), wish("alice", nil, "node-1", "node-2", "node-1")))(t)
	same(t, "roles", strings.Join(made.GetRoles(), " "), "node-access")
	same(t, "resources", len(made.GetRequestedResourceIDs()), 2)
	same(t, "resource", types.ResourceIDToString(made.GetRequestedResourceIDs()[0]), "/interop/node/node-1")
}

func TestADryRunIsAnsweredAndNotStored(t *testing.T) {
	c := serve(t)
	alice := c.as(t, "alice")
	dry := wish("alice", []string{"prod-admin"})
	dry.SetDryRun(true)
	made := must(alice.CreateAccessRequestV2(within(t), dry))(t)
	same(t, "dry", made.GetDryRun(), true)
	same(t, "stored", len(must(alice.GetAccessRequests(within(t), types.AccessRequestFilter{User: "alice"}))(t)), 0)
}

func TestListsComeInPagesAndAnyOrder(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	var made []string
	for range 7 {
		made = append(made, ask(t, alice, "alice", "prod-admin").GetName())
	}
	pages := func(limit int32, sort authpb.AccessRequestSort, descending bool) (names []string, count int) {
		query := &authpb.ListAccessRequestsRequest{
			Filter: &types.AccessRequestFilter{User: "alice"}, Sort: sort, Descending: descending, Limit: limit,
		}
		for {
			page := must(bot.ListAccessRequests(within(t), query))(t)
			if len(page.AccessRequests) > int(limit) {
				t.Fatalf("a page of %d, at most %d were asked for", len(page.AccessRequests), limit)
			}
			count++
			for _, request := range page.AccessRequests {
				names = append(names, request.GetName())
			}
			if page.NextKey == "" {
				return names, count
			}
			query.StartKey = page.NextKey
		}
	}
	for _, sort := range []authpb.AccessRequestSort{
		authpb.AccessRequestSort_DEFAULT, authpb.AccessRequestSort_CREATED,
		authpb.AccessRequestSort_STATE,
	} {
		names, count := pages(2, sort, false)
		if !slices.Equal(names, made) || count != 4 {
			t.Errorf("%v in %d pages: %v, want %v", sort, count, names, made)
		}
		backwards, _ := pages(3, sort, true)
		slices.Reverse(backwards)
		if !slices.Equal(backwards, made) {
			t.Errorf("%v backwards: %v, want %v", sort, backwards, made)
		}
	}
	all := must(bot.ListAllAccessRequests(within(t), &authpb.ListAccessRequestsRequest{Limit: 3}))(t)
	same(t, "all", len(all), 8)
	none := must(bot.GetAccessRequests(within(t), types.AccessRequestFilter{ID: uuid.NewString()}))(t)
	same(t, "a missing one", len(none), 0)
	pending := must(bot.GetAccessRequests(within(t), types.AccessRequestFilter{State: types.RequestState_PENDING}))(t)
	same(t, "pending ones", len(pending), 7)
	_, err := bot.ListAccessRequests(within(t), &authpb.ListAccessRequestsRequest{Limit: 16001})
	refused(t, err, badParameter, "page size")
}

// Teleport's client falls back to the old stream where the list is missing.
func TestTheOldListIsAStream(t *testing.T) {
	c := serve(t, `
[[faults.error]]
method = "ListAccessRequests"
code = "unimplemented"
probability = 1.0`)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	for range 3 {
		ask(t, alice, "alice", "prod-admin")
	}
	_, err := bot.ListAccessRequests(within(t), &authpb.ListAccessRequestsRequest{})
	refused(t, err, notImplemented, "")
	same(t, "all", len(must(bot.GetAccessRequests(within(t), types.AccessRequestFilter{}))(t)), 4)
}

func TestPeopleSeeTheirOwnRequestsAndThoseThatTheyReview(t *testing.T) {
	c := serve(t)
	ask(t, c.as(t, "alice"), "alice", "prod-admin")
	research := ask(t, c.as(t, "alice"), "alice", "research-admin")
	for user, want := range map[string]int{"alice": 2, "nobody": 0, "rita": 2, "bot": 3} {
		seen := must(c.as(t, user).GetAccessRequests(within(t), types.AccessRequestFilter{}))(t)
		same(t, user+" sees", len(seen), want)
	}
	needs := types.AccessRequestFilter{Scope: types.AccessRequestScope_NEEDS_REVIEW}
	for _, request := range must(c.as(t, "rita").GetAccessRequests(within(t), needs))(t) {
		if request.GetName() == research.GetName() {
			t.Error("rita does not review research")
		}
	}
}

func TestStatesAreSetWithReasonDelegatorAndAnnotations(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	request := ask(t, alice, "alice", "prod-admin", "prod-reader")
	start := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	approve := types.AccessRequestUpdate{
		RequestID: request.GetName(), State: types.RequestState_APPROVED, Reason: "fits",
		Annotations: map[string][]string{"k": {"v", "w"}}, Roles: []string{"prod-reader"}, AssumeStartTime: &start,
	}
	done(t, bot.SetAccessRequestState(utils.WithDelegator(within(t), "tribunal"), approve))
	now := one(t, bot, request.GetName())
	same(t, "state", now.GetState(), types.RequestState_APPROVED)
	same(t, "reason", now.GetResolveReason(), "fits")
	same(t, "annotations", strings.Join(now.GetResolveAnnotations()["k"], " "), "v w")
	same(t, "roles", strings.Join(now.GetRoles(), " "), "prod-reader")
	if assumed := now.GetAssumeStartTime(); assumed == nil || !assumed.Equal(start) {
		t.Errorf("starts %v, want %v", assumed, start)
	}
	// A denial beats an approval, and may be said again.
	deny := types.AccessRequestUpdate{RequestID: request.GetName(), State: types.RequestState_DENIED, Reason: "no"}
	done(t, bot.SetAccessRequestState(within(t), deny))
	done(t, bot.SetAccessRequestState(within(t), deny))
	same(t, "state", one(t, bot, request.GetName()).GetState(), types.RequestState_DENIED)
	done(t, c.as(t, "admin").DeleteAccessRequest(within(t), request.GetName()))
	left := must(bot.GetAccessRequests(within(t), types.AccessRequestFilter{ID: request.GetName()}))(t)
	same(t, "left", len(left), 0)
}

// one reads one request by its id.
func one(t *testing.T, as *client.Client, id string) types.AccessRequest {
	t.Helper()
	read := must(as.GetAccessRequests(within(t), types.AccessRequestFilter{ID: id}))(t)
	if len(read) != 1 {
		t.Fatalf("%d requests of this id", len(read))
	}
	return read[0]
}

func TestWhatMayNotBeAskedForIsRefused(t *testing.T) {
	c := serve(t)
	long := strings.Repeat("x", 4097)
	cases := []struct {
		name, as string
		wish     *types.AccessRequestV3
		change   func(*types.AccessRequestV3)
		kind     kind
		words    string
	}{
		{"for others", "alice", wish("carl", []string{"prod-admin"}), nil, accessDenied, "create"},
		{"already approved", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Spec.State = types.RequestState_APPROVED
		}, accessDenied, "already resolved"},
		{"denied the verb", "nobody", wish("nobody", []string{"prod-admin"}), nil, accessDenied, "create"},
		{"approved for others, elevated", "elevated", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Spec.State = types.RequestState_APPROVED
		}, accessDenied, "elevated"},
		{"no search_as_roles", "carl", wish("carl", nil, "node-1"), nil, accessDenied, "search_as_roles"},
		{"no such node", "alice", wish("alice", nil, "node-9"), nil, accessDenied, "search_as_roles"},
		{"promoted", "admin", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Spec.State = types.RequestState_PROMOTED
		}, badParameter, "state"},
		{"nothing", "alice", wish("alice", nil), nil, badParameter, "asks for nothing"},
		{"not requestable", "alice", wish("alice", []string{"admin"}), nil, badParameter, "can not request role"},
		{"without a reason", "carl", wish("carl", []string{"prod-admin"}), nil, badParameter, "reason must be specified"},
		{"a long reason", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Spec.RequestReason = long
		}, badParameter, "too long"},
		{"many resources", "alice", wish("alice", nil, slices.Repeat([]string{"node-1"}, 301)...), nil, badParameter, "300"},
		{"no uuid", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.SetName("mine")
		}, badParameter, "uuid"},
		{"no user", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Spec.User = ""
		}, badParameter, "user"},
		{"another kind", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Kind = types.KindLock
		}, badParameter, "kind"},
		{"another version", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Version = "v9"
		}, badParameter, "version"},
		{"a resolved pending one", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Spec.ResolveReason = "why"
		}, badParameter, "pending"},
		{"over already", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.Spec.Expires = time.Now().Add(-time.Hour)
		}, badParameter, "session TTL"},
		{"a late start", "alice", wish("alice", []string{"prod-admin"}), func(r *types.AccessRequestV3) {
			r.SetAssumeStartTime(time.Now().Add(100 * 24 * time.Hour))
		}, badParameter, "start"},
		{"another cluster", "alice", wish("alice", nil, "node-1"), func(r *types.AccessRequestV3) {
			r.Spec.RequestedResourceIDs[0].ClusterName = "leaf"
		}, notFound, "leaf"},
		{"an unknown user", "admin", wish("zoe", []string{"prod-admin"}), nil, notFound, "zoe"},
	}
	for _, each := range cases {
		t.Run(each.name, func(t *testing.T) {
			if each.change != nil {
				each.change(each.wish)
			}
			_, err := c.as(t, each.as).CreateAccessRequestV2(within(t), each.wish)
			refused(t, err, each.kind, each.words)
		})
	}
	same(t, "stored", len(must(c.as(t, "bot").GetAccessRequests(within(t), types.AccessRequestFilter{}))(t)), 1)
}

func TestWhatMayNotBeResolvedIsRefused(t *testing.T) {
	c := serve(t)
	alice, bot, admin := c.as(t, "alice"), c.as(t, "bot"), c.as(t, "admin")
	id := ask(t, alice, "alice", "prod-admin").GetName()
	denied := ask(t, alice, "alice", "prod-admin").GetName()
	done(t, bot.SetAccessRequestState(within(t), types.AccessRequestUpdate{RequestID: denied, State: types.RequestState_DENIED}))
	own := must(admin.CreateAccessRequestV2(within(t), wish("alice", []string{"prod-admin"})))(t).GetName()
	elevated := c.as(t, "elevated")
	late := time.Now().Add(1000 * time.Hour)
	type update = types.AccessRequestUpdate
	cases := []struct {
		name   string
		as     *client.Client
		update update
		kind   kind
		words  string
	}{
		{"without the verb", alice, update{RequestID: id, State: types.RequestState_APPROVED}, accessDenied, "update"},
		{"own", elevated, update{RequestID: own, State: types.RequestState_APPROVED}, accessDenied, "elevated"},
		{"promoted", bot, update{RequestID: id, State: types.RequestState_PROMOTED}, badParameter, "promoted"},
		{"missing", bot, update{RequestID: uuid.NewString(), State: types.RequestState_DENIED}, notFound, "not found"},
		{"no state", bot, update{RequestID: id}, badParameter, "state"},
		{"no id", bot, update{State: types.RequestState_DENIED}, badParameter, "id"},
		{"denied before", bot, update{RequestID: denied, State: types.RequestState_APPROVED}, badParameter, "already denied"},
		{"roles with a denial", bot, update{
			RequestID: id, State: types.RequestState_DENIED, Roles: []string{"prod-admin"},
		}, badParameter, "role"},
		{"roles that were not asked for", bot, update{
			RequestID: id, State: types.RequestState_APPROVED, Roles: []string{"research-admin"},
		}, badParameter, "research-admin"},
		{"a long reason", bot, update{
			RequestID: id, State: types.RequestState_DENIED, Reason: strings.Repeat("x", 4097),
		}, badParameter, "too long"},
		{"pending with a reason", bot, update{
			RequestID: id, State: types.RequestState_PENDING, Reason: "why",
		}, badParameter, "pending"},
		{"a late start", bot, update{
			RequestID: id, State: types.RequestState_APPROVED, AssumeStartTime: &late,
		}, badParameter, "start"},
	}
	for _, each := range cases {
		t.Run(each.name, func(t *testing.T) {
			refused(t, each.as.SetAccessRequestState(within(t), each.update), each.kind, each.words)
		})
	}
	same(t, "state", one(t, bot, id).GetState(), types.RequestState_PENDING)
	refused(t, alice.DeleteAccessRequest(within(t), id), accessDenied, "delete")
	refused(t, admin.DeleteAccessRequest(within(t), uuid.NewString()), notFound, "not found")
}

func TestNobodyResolvesTheirOwn(t *testing.T) {
	c := serve(t, `
[[user]]
name = "boss"
roles = ["admin", "requester"]`)
	boss := c.as(t, "boss")
	id := ask(t, boss, "boss", "prod-admin").GetName()
	err := boss.SetAccessRequestState(within(t), types.AccessRequestUpdate{RequestID: id, State: types.RequestState_APPROVED})
	refused(t, err, accessDenied, "own")
	_, err = boss.SubmitAccessReview(within(t), review(id, types.RequestState_APPROVED))
	refused(t, err, accessDenied, "cannot review")
}
