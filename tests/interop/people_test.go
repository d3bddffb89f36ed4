package interop

import (
	"slices"
	"strings"
	"testing"

	"github.com/gravitational/teleport/api/client"
	authpb "github.com/gravitational/teleport/api/client/proto"
	userspb "github.com/gravitational/teleport/api/gen/proto/go/teleport/users/v1"
	"github.com/gravitational/teleport/api/types"
)

func filteredUsers(keyword string) *userspb.ListUsersRequest {
	return &userspb.ListUsersRequest{Filter: &types.UserFilter{SearchKeywords: []string{keyword}}}
}

func TestUsersAndTheirLoginsAreRead(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	alice := must(bot.GetUser(within(t), "alice", false))(t)
	same(t, "name", alice.GetName(), "alice")
	same(t, "roles", strings.Join(alice.GetRoles(), " "), "requester")
	same(t, "team", strings.Join(alice.GetTraits()["team"], " "), "platform")
	state := must(bot.UserLoginStateClient().GetUserLoginState(within(t), "alice"))(t)
	same(t, "roles since login", strings.Join(state.GetRoles(), " "), "requester member")
	same(t, "team since login", strings.Join(state.GetTraits()["team"], " "), "platform")
	_, err := bot.UserLoginStateClient().GetUserLoginState(within(t), "nobody")
	refused(t, err, notFound, "not found")
	_, err = bot.GetUser(within(t), "zoe", false)
	refused(t, err, notFound, "not found")
	_, err = c.as(t, "alice").GetUser(within(t), "carl", false)
	refused(t, err, accessDenied, "read")
	_, err = c.as(t, "alice").UserLoginStateClient().GetUserLoginState(within(t), "carl")
	refused(t, err, accessDenied, "read")
	same(t, "myself", must(c.as(t, "alice").GetCurrentUser(within(t)))(t).GetName(), "alice")
	_, err = c.as(t, "alice").ListUsers(within(t), &userspb.ListUsersRequest{})
	refused(t, err, accessDenied, "list")
}

func TestUsersComeInPages(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	var names []string
	query := &userspb.ListUsersRequest{PageSize: 3}
	for {
		page := must(bot.ListUsers(within(t), query))(t)
		for _, user := range page.Users {
			names = append(names, user.GetName())
		}
		if page.NextPageToken == "" {
			break
		}
		query.PageToken = page.NextPageToken
	}
	if !slices.IsSorted(names) || len(names) < 8 || !slices.Contains(names, "alice") {
		t.Errorf("names: %v", names)
	}
	all := must(bot.GetUsers(within(t), false))(t)
	same(t, "all", len(all), len(names))
}

func TestRolesAreReadListedAndKnown(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	role := must(bot.GetRole(within(t), "requester"))(t)
	ask := role.GetAccessRequestConditions(types.Allow)
	same(t, "requestable", strings.Join(ask.Roles, " "), "prod-* research-admin")
	same(t, "through", strings.Join(ask.SearchAsRoles, " "), "node-access")
	admin := must(bot.GetRole(within(t), "admin"))(t)
	same(t, "rules", len(admin.GetRules(types.Allow)), 1)
	same(t, "reviews", strings.Join(admin.GetAccessReviewConditions(types.Allow).Roles, " "), "*")
	nodes := must(bot.GetRole(within(t), "node-access"))(t)
	same(t, "session", nodes.GetOptions().MaxSessionTTL.Duration().String(), "8h0m0s")
	var names []string
	query := &authpb.ListRolesRequest{Limit: 4}
	for {
		page := must(bot.ListRoles(within(t), query))(t)
		for _, role := range page.Roles {
			names = append(names, role.GetName())
		}
		if page.NextKey == "" {
			break
		}
		query.StartKey = page.NextKey
	}
	if !slices.Contains(names, "prod-admin") || len(names) < 10 {
		t.Errorf("names: %v", names)
	}
	mine := must(bot.GetCurrentUserRoles(within(t)))(t)
	if len(mine) != 1 || mine[0].GetName() != "tribunal" || len(mine[0].GetRules(types.Allow)) == 0 {
		t.Errorf("the bot's roles: %v", mine)
	}
	_, err := bot.GetRole(within(t), "no-such")
	refused(t, err, notFound, "not found")
	_, err = c.as(t, "alice").GetRole(within(t), "admin")
	refused(t, err, accessDenied, "read")
	_, err = c.as(t, "alice").ListRoles(within(t), &authpb.ListRolesRequest{})
	refused(t, err, accessDenied, "list")
}

func TestWhatAUserMayAskForIsTold(t *testing.T) {
	c := serve(t)
	can := must(c.as(t, "alice").GetAccessCapabilities(within(t), types.AccessCapabilitiesRequest{
		RequestableRoles: true, SuggestedReviewers: true, ResourceIDs: []types.ResourceID{nodeID("node-1")},
	}))(t)
	same(t, "roles", strings.Join(can.RequestableRoles, " "), "prod-admin prod-reader research-admin")
	same(t, "reviewers", strings.Join(can.SuggestedReviewers, " "), "rita")
	same(t, "for the node", strings.Join(can.ApplicableRolesForResources, " "), "node-access")
	careful := must(c.as(t, "carl").GetAccessCapabilities(within(t), types.AccessCapabilitiesRequest{}))(t)
	same(t, "reason", careful.RequireReason, true)
	same(t, "prompt", careful.RequestPrompt, "which ticket?")
	_, err := c.as(t, "alice").GetAccessCapabilities(within(t), types.AccessCapabilitiesRequest{User: "carl"})
	refused(t, err, accessDenied, "read")
}

func TestResourcesAreListedWithTheirLabels(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	query := func() *authpb.ListUnifiedResourcesRequest {
		return &authpb.ListUnifiedResourcesRequest{
			Kinds: []string{types.KindNode}, Limit: 1, UsePreviewAsRoles: true, SortBy: types.SortBy{Field: "name"},
		}
	}
	found := map[string]string{}
	for first := query(); ; {
		page, key, err := client.GetUnifiedResourcePage(within(t), bot, first)
		done(t, err)
		for _, resource := range page {
			found[resource.GetName()] = resource.GetAllLabels()["env"]
		}
		if key == "" {
			break
		}
		first.StartKey = key
	}
	if len(found) != 2 || found["node-1"] != "prod" || found["node-2"] != "research" {
		t.Errorf("found: %v", found)
	}
	one := query()
	one.PredicateExpression = `resource.metadata.name == "node-2" || resource.metadata.name == "node-9"`
	page, _, err := client.GetUnifiedResourcePage(within(t), bot, one)
	done(t, err)
	if len(page) != 1 || page[0].GetName() != "node-2" {
		t.Errorf("by name: %v", page)
	}
	nodes := must(client.GetAllResources[types.Server](within(t), bot, &authpb.ListResourcesRequest{
		ResourceType: types.KindNode, Namespace: "default", UsePreviewAsRoles: true,
	}))(t)
	same(t, "nodes", len(nodes), 2)
	same(t, "hostname", nodes[0].GetHostname(), "node-1")

	wrong := query()
	wrong.PredicateExpression = "name =="
	_, _, err = client.GetUnifiedResourcePage(within(t), bot, wrong)
	refused(t, err, badParameter, "")
	unsorted := query()
	unsorted.SortBy = types.SortBy{}
	_, _, err = client.GetUnifiedResourcePage(within(t), bot, unsorted)
	refused(t, err, badParameter, "sort")
	oddly := query()
	oddly.SortBy = types.SortBy{Field: "weight"}
	_, _, err = client.GetUnifiedResourcePage(within(t), bot, oddly)
	refused(t, err, notImplemented, "weight")
	_, _, err = client.GetUnifiedResourcePage(within(t), c.as(t, "nobody"), query())
	refused(t, err, accessDenied, "list")
	_, err = bot.GetResources(within(t), &authpb.ListResourcesRequest{ResourceType: types.KindRole, Limit: 1})
	refused(t, err, notImplemented, "")
}

func TestPluginDataAreComparedAndSet(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	id := ask(t, c.as(t, "alice"), "alice", "prod-admin").GetName()
	update := types.PluginDataUpdateParams{
		Kind: types.KindAccessRequest, Resource: id, Plugin: "p",
		Set: map[string]string{"k": "1"}, Expect: map[string]string{"k": ""},
	}
	done(t, bot.UpdatePluginData(within(t), update))
	refused(t, bot.UpdatePluginData(within(t), update), compareFailed, "expectations not met")
	data := must(bot.GetPluginData(within(t), types.PluginDataFilter{Kind: types.KindAccessRequest, Resource: id}))(t)
	if len(data) != 1 || data[0].Entries()["p"].Data["k"] != "1" {
		t.Errorf("data: %v", data)
	}
	other := update
	other.Kind = types.KindLock
	refused(t, bot.UpdatePluginData(within(t), other), badParameter, "kind")
	nameless := update
	nameless.Plugin = ""
	refused(t, bot.UpdatePluginData(within(t), nameless), badParameter, "plugin")
	missing := update
	missing.Resource = "0190a7c6-7c00-7000-8000-00000000ffff"
	refused(t, bot.UpdatePluginData(within(t), missing), notFound, "not found")
	refused(t, c.as(t, "alice").UpdatePluginData(within(t), update), accessDenied, "update")
	_, err := c.as(t, "alice").GetPluginData(within(t), types.PluginDataFilter{Kind: types.KindAccessRequest})
	refused(t, err, accessDenied, "")
}

// What the rules never answer with, faults do: each code is the type of Teleport's that it should be.
func TestEveryCodeBecomesItsTypeOfError(t *testing.T) {
	codes := map[string]kind{
		"permission-denied": accessDenied, "already-exists": alreadyExists, "invalid-argument": badParameter,
		"failed-precondition": compareFailed, "unavailable": connectionProblem, "resource-exhausted": limitExceeded,
		"not-found": notFound, "unimplemented": notImplemented,
	}
	var faults strings.Builder
	var order []string
	for code := range codes {
		order = append(order, code)
		faults.WriteString("\n[[faults.error]]\nmethod = \"GetDomainName\"\ncode = \"" + code + "\"\nnext = 1\nmessage = \"on purpose\"\n")
	}
	bot := serve(t, faults.String()).as(t, "bot")
	for _, code := range order {
		_, err := bot.GetDomainName(within(t))
		refused(t, err, codes[code], "on purpose")
	}
	same(t, "afterwards", must(bot.GetDomainName(within(t)))(t), "interop")
}
