//go:build !older

package interop

import (
	"context"
	"slices"
	"testing"
	"time"

	authpb "github.com/gravitational/teleport/api/client/proto"
	"github.com/gravitational/teleport/api/types"
)

// What the older version of the library does not know: paged locks, semaphores and login states, constraints, kinds of
// requests.

func (a *auth) ListLocks(_ context.Context, query *authpb.ListLocksRequest) (*authpb.ListLocksResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	locks, next, err := page(slices.Clone(a.locks), query.PageSize, query.PageToken)
	return &authpb.ListLocksResponse{Locks: locks, NextPageToken: next}, err
}

func (a *auth) ListSemaphores(ctx context.Context, query *authpb.ListSemaphoresRequest) (*authpb.ListSemaphoresResponse, error) {
	filter := types.SemaphoreFilter{}
	if query.Filter != nil {
		filter = *query.Filter
	}
	all, err := a.GetSemaphores(ctx, &filter)
	if err != nil {
		return nil, err
	}
	semaphores, next, err := page(all.Semaphores, query.PageSize, query.PageToken)
	return &authpb.ListSemaphoresResponse{Semaphores: semaphores, NextPageToken: next}, err
}

func TestLocksComeInPages(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	want := []string{"a", "b", "c", "d", "e"}
	for _, name := range want {
		done(t, bot.UpsertLock(within(t), lock(t, name, types.LockTarget{User: "u-" + name})))
	}
	var got []string
	for key := ""; ; {
		locks, next, err := bot.ListLocks(within(t), 2, key, nil)
		done(t, err)
		if len(locks) > 2 {
			t.Fatalf("a page of %d", len(locks))
		}
		for _, lock := range locks {
			got = append(got, lock.GetName())
		}
		if key = next; key == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("paged: %v", got)
	}
	got = nil
	for lock, err := range bot.RangeLocks(within(t), "b", "d", nil) {
		done(t, err)
		got = append(got, lock.GetName())
	}
	if !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("a range: %v", got)
	}
	filter := &types.LockFilter{Targets: []*types.LockTarget{{User: "u-c"}}, InForceOnly: true}
	locks, _, err := bot.ListLocks(within(t), 0, "", filter)
	done(t, err)
	if len(locks) != 1 || locks[0].GetName() != "c" {
		t.Errorf("filtered: %v", locks)
	}
	_, _, err = c.as(t, "alice").ListLocks(within(t), 0, "", nil)
	refused(t, err, accessDenied, "list")
}

func TestSemaphoresComeInPages(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	for _, name := range []string{"a", "b", "c"} {
		wish := leaseOf("h", time.Now().Add(time.Minute))
		wish.SemaphoreName = name
		must(bot.AcquireSemaphore(within(t), wish))(t)
	}
	var got []string
	for key := ""; ; {
		semaphores, next, err := bot.ListSemaphores(within(t), 2, key, &types.SemaphoreFilter{SemaphoreKind: "tribunal"})
		done(t, err)
		for _, semaphore := range semaphores {
			got = append(got, semaphore.GetName())
		}
		if key = next; key == "" {
			break
		}
	}
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("paged: %v", got)
	}
	_, _, err := c.as(t, "alice").ListSemaphores(within(t), 0, "", nil)
	refused(t, err, accessDenied, "list")
}

func TestLoginStatesComeInPages(t *testing.T) {
	c := serve(t)
	logins := c.as(t, "bot").UserLoginStateClient()
	var got []string
	for token := ""; ; {
		states, next, err := logins.ListUserLoginStates(within(t), 2, token)
		done(t, err)
		for _, state := range states {
			got = append(got, state.GetName())
		}
		if token = next; token == "" {
			break
		}
	}
	if !slices.IsSorted(got) || !slices.Contains(got, "alice") || slices.Contains(got, "nobody") {
		t.Errorf("paged: %v", got)
	}
	_, _, err := c.as(t, "alice").UserLoginStateClient().ListUserLoginStates(within(t), 0, "")
	refused(t, err, accessDenied, "list")
}

func TestWhatTheServerLacksIsNotImplemented(t *testing.T) {
	_, err := serve(t).as(t, "bot").GetClusterName(within(t))
	refused(t, err, notImplemented, "")
}

func constrained(user, node string) *types.AccessRequestV3 {
	request := wish(user, nil)
	request.Spec.RequestedResourceAccessIDs = []types.ResourceAccessID{{
		Id: nodeID(node),
		Constraints: &types.ResourceConstraints{
			Version: types.ResourceConstraintVersionV1,
			Details: &types.ResourceConstraints_Ssh{Ssh: &types.SSHResourceConstraints{Logins: []string{"root"}}},
		},
	}}
	return request
}

func TestConstraintsSurviveTheWay(t *testing.T) {
	c := serve(t)
	made := must(c.as(t, "alice").CreateAccessRequestV2(within(t), constrained("alice", "node-1")))(t)
	read := one(t, c.as(t, "bot"), made.GetName()).GetAllRequestedResourceIDs()
	if len(read) != 1 || read[0].Id.Name != "node-1" {
		t.Fatalf("resources: %v", read)
	}
	ssh, ok := read[0].Constraints.Details.(*types.ResourceConstraints_Ssh)
	if !ok || !slices.Equal(ssh.Ssh.Logins, []string{"root"}) {
		t.Errorf("constraints: %v", read[0].Constraints)
	}
}

// What is not ours to give is left to people; what comes after it is decided all the same.
func TestWhatIsNewInTeleportIsLeftToPeople(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	long := wish("lou", []string{"prod-admin"})
	long.Spec.RequestKind = types.AccessRequestKind_LONG_TERM
	constrained := constrained("kim", "node-1")
	constrained.Spec.RequestedResourceAccessIDs[0].Constraints.Version = "v9"
	for _, request := range []*types.AccessRequestV3{long, constrained} {
		request.Spec.Created, request.Spec.Expires = a.later(), a.later().Add(8*time.Hour)
		a.put(request)
	}
	d := newDaemon(t, a, "ecdsa", "")
	fence := a.add(types.RequestState_PENDING, "alice", nil, "node-1")
	a.until(t, "what comes later is approved", func() bool { return a.is(fence, types.RequestState_APPROVED) })
	for _, request := range []*types.AccessRequestV3{long, constrained} {
		d.leaves(t, request.GetName(), request.GetUser())
	}
}

func TestLocksAreListedInPages(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		a.locks = append(a.locks, lock(t, name, types.LockTarget{User: "u-" + name}).(*types.LockV2))
	}
	newDaemon(t, a, "ecdsa", "")
	a.until(t, "three pages of locks", func() bool {
		var tokens []string
		for _, at := range a.called("ListLocks") {
			tokens = append(tokens, a.calls[at].request.(*authpb.ListLocksRequest).PageToken)
		}
		return slices.Contains(tokens, "") && slices.Contains(tokens, "2") && slices.Contains(tokens, "4")
	})
}
