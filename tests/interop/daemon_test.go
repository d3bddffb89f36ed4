package interop

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authpb "github.com/gravitational/teleport/api/client/proto"
	"github.com/gravitational/teleport/api/constants"
	"github.com/gravitational/teleport/api/types"
	"github.com/gravitational/trace"
)

// daemon is ours, in front of a server on Teleport's types.
type daemon struct {
	*process
	auth *auth
}

// newDaemon starts it with the two policies that ship with it, and with more lines for `[teleport]`. Lists come once in
// an hour, so that it is events that tell it of anything new.
func newDaemon(t testing.TB, a *auth, keys, teleport string) *daemon {
	t.Helper()
	identity := a.authority.identity(t, keys)
	config := write(t, "tribunal.toml", fmt.Sprintf(`
[teleport]
address = %q
identity-file = %q
%s

[poll]
interval = "1h"

[ledger]
dir = %q

[[plugin]]
name = "separation"
source = "builtin:separation"
settings = { classes = { production = { roles = ["prod-*"] }, research = { roles = ["research-*"] } } }

[[plugin]]
name = "cap"
source = "builtin:cap"
settings = { max-resources = 3 }
`, a.address, identity, teleport, filepath.Join(t.TempDir(), "ledger")))
	return &daemon{process: start(t, "tribunal", "run", "--config", config), auth: a}
}

// leaves checks that a request is as it was made, and that the one after it, of the same user, does not mind.
func (d *daemon) leaves(t testing.TB, id, user string) {
	t.Helper()
	a := d.auth
	fence := a.add(types.RequestState_PENDING, user+"-too", nil, "node-2")
	a.until(t, "what comes after it is approved", func() bool { return a.is(fence, types.RequestState_APPROVED) })
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.is(id, types.RequestState_PENDING) {
		t.Errorf("the request of `%s` does not wait for people any more", user)
	}
}

func TestOurDaemonDecidesAsTeleportUnderstandsIt(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	good := a.add(types.RequestState_PENDING, "alice", nil, "node-1")
	bad := a.add(types.RequestState_PENDING, "sam", []string{"prod-admin", "research-admin"})
	also := a.add(types.RequestState_PENDING, "carl", []string{"prod-admin"})
	newDaemon(t, a, "rsa", "")
	a.until(t, "two are approved, one is denied", func() bool {
		return a.is(good, types.RequestState_APPROVED) && a.is(also, types.RequestState_APPROVED) && a.is(bad, types.RequestState_DENIED)
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	approved, denied := must(a.request(good))(t), must(a.request(bad))(t)
	same(t, "approved", approved.GetResolveReason(), "Auto-approved: complies with access policies")
	if reason := denied.GetResolveReason(); !strings.Contains(reason, "conflicting environments") {
		t.Errorf("denied: %q", reason)
	}
	if len(approved.GetResolveAnnotations()["tribunal/decision"]) != 1 {
		t.Errorf("annotations: %v", approved.GetResolveAnnotations())
	}
	for _, at := range a.called("SetAccessRequestState") {
		same(t, "delegator", a.calls[at].request.(*authpb.RequestStateSetter).Delegator, "tribunal")
	}
	// It watches before it lists, and takes all pages.
	watches, lists := a.called("WatchEvents"), a.called("ListAccessRequests")
	if len(watches) != 1 || len(lists) < 2 || lists[0] < watches[0] {
		t.Errorf("watches at %v, lists at %v", watches, lists)
	}
	for _, call := range a.calls {
		if call.version == "" {
			t.Errorf("`%s` does not tell a version as Teleport reads it", call.method)
		}
		state := call.peer.State
		same(t, "protocol", state.NegotiatedProtocol, "h2")
		same(t, "server name", state.ServerName, constants.APIDomain)
		if len(state.PeerCertificates) != 1 || state.PeerCertificates[0].Subject.CommonName != botName {
			t.Errorf("certificates: %v", state.PeerCertificates)
		}
	}
}

func TestWhatGivesWayIsLockedFirst(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	var held []string
	for _, node := range []string{"node-1", "node-2", "node-3"} {
		id := a.add(types.RequestState_PENDING, "alice", nil, node)
		held = append(held, id)
	}
	newDaemon(t, a, "ed25519", "")
	a.until(t, "three are approved", func() bool {
		return !slices.ContainsFunc(held, func(id string) bool { return !a.is(id, types.RequestState_APPROVED) })
	})
	fourth := a.add(types.RequestState_PENDING, "alice", nil, "node-4")
	a.until(t, "the fourth is approved", func() bool { return a.is(fourth, types.RequestState_APPROVED) })

	a.look(func() {
		oldest := must(a.request(held[0]))(t)
		lock := a.lockOn(held[0])
		if lock == nil || len(a.locks) != 1 {
			t.Fatalf("locks: %v", a.locks)
		}
		if !lock.Target().Equals(types.LockTarget{AccessRequest: held[0]}) {
			t.Errorf("target: %v", lock.Target())
		}
		same(t, "kind", lock.GetKind(), types.KindLock)
		same(t, "version", lock.GetVersion(), types.V2)
		same(t, "in force", lock.IsInForce(time.Now()), true)
		if lock.Message() == "" {
			t.Error("a lock that says nothing")
		}
		// As long as the access, and not left lying about after it.
		end := oldest.GetAccessExpiry()
		if expiry := lock.LockExpiry(); expiry == nil || expiry.Before(end) || expiry.After(end.Add(time.Hour)) {
			t.Errorf("in force until %v, access until %v", expiry, end)
		}
		if expiry := lock.Expiry(); expiry.Before(end) {
			t.Errorf("kept until %v, access until %v", expiry, end)
		}
		locked, resolved := a.called("UpsertLock"), a.called("SetAccessRequestState")
		if len(locked) != 1 || locked[0] > resolved[len(resolved)-1] {
			t.Errorf("locks at %v, resolutions at %v", locked, resolved)
		}
	})

	// Another one ends, and what was locked comes back: two events of deletion, each with a header.
	a.remove(held[1])
	a.until(t, "the lock is released", func() bool { return len(a.locks) == 0 })
}

func TestABrokenWatchIsBegunAnewAndNothingMissed(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	newDaemon(t, a, "ecdsa", "")
	first := a.add(types.RequestState_PENDING, "alice", nil, "node-1")
	a.until(t, "the first is approved", func() bool { return a.is(first, types.RequestState_APPROVED) })
	a.refuse("WatchEvents", trace.ConnectionProblem(nil, "not yet"), trace.LimitExceeded("not yet"))
	a.breakWatches()
	a.until(t, "nobody watches", func() bool { return len(a.watchers) == 0 })
	second := a.add(types.RequestState_PENDING, "carl", nil, "node-1")
	a.until(t, "what nobody told of is approved", func() bool { return a.is(second, types.RequestState_APPROVED) })
	a.mu.Lock()
	defer a.mu.Unlock()
	if watches := a.called("WatchEvents"); len(watches) < 4 {
		t.Errorf("watches at %v", watches)
	}
}

func TestOldServersAreAskedInOldWays(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	a.lack("ListAccessRequests", "ListLocks", "/teleport.users.v1.UsersService/GetUser", "GetUserLoginState",
		"ListUnifiedResources", "ListSemaphores", "GetCurrentUserRoles")
	var held []string
	for _, node := range []string{"node-1", "node-2", "node-3", "node-4"} {
		held = append(held, a.add(types.RequestState_PENDING, "alice", nil, node))
	}
	newDaemon(t, a, "ecdsa", "")
	a.until(t, "all are approved, the oldest is locked", func() bool {
		approved := !slices.ContainsFunc(held, func(id string) bool { return !a.is(id, types.RequestState_APPROVED) })
		return approved && a.lockOn(held[0]) != nil
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, method := range []string{"GetAccessRequestsV2", "GetLocks", "GetUser", "ListResources", "GetSemaphores"} {
		if len(a.called(method)) == 0 {
			t.Errorf("`%s` was not asked", method)
		}
	}
}

func TestReviewsAreSubmittedAsTeleportTakesThem(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	good := a.add(types.RequestState_PENDING, "alice", nil, "node-1")
	bad := a.add(types.RequestState_PENDING, "sam", []string{"prod-admin", "research-admin"})
	two := wish("carl", []string{"prod-admin"})
	two.Spec.Created, two.Spec.Expires = a.later(), a.later().Add(8*time.Hour)
	two.Spec.Thresholds = []types.AccessReviewThreshold{{Name: "two", Approve: 2, Deny: 1}}
	a.put(two)
	newDaemon(t, a, "ecdsa", `resolve-with = "review"`)
	a.until(t, "one is approved, one denied, one has our review", func() bool {
		reviewed := must(a.request(two.GetName()))(t)
		return a.is(good, types.RequestState_APPROVED) && a.is(bad, types.RequestState_DENIED) && len(reviewed.GetReviews()) == 1
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	same(t, "two are needed", a.is(two.GetName(), types.RequestState_PENDING), true)
	same(t, "states set", len(a.called("SetAccessRequestState")), 0)
	if review := must(a.request(good))(t).GetReviews()[0]; !strings.HasPrefix(review.Reason, "Auto-approved: complies with access policies") {
		t.Errorf("review: %v", review)
	}
}

func TestOfTwoDaemonsTheOneWithTheLeaseActs(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	semaphore := func() *types.SemaphoreV3 {
		for key, semaphore := range a.semaphores {
			if strings.HasPrefix(key, "tribunal/") && len(a.semaphores) == 1 {
				return semaphore
			}
		}
		return &types.SemaphoreV3{}
	}
	var first string
	t.Run("the first", func(t *testing.T) {
		newDaemon(t, a, "ecdsa", "")
		id := a.add(types.RequestState_PENDING, "carl", nil, "node-1")
		a.until(t, "it acts", func() bool { return a.is(id, types.RequestState_APPROVED) })
		a.look(func() {
			if len(semaphore().LeaseRefs()) != 1 {
				t.Fatalf("it acts without a lease: %v", a.semaphores)
			}
			first = semaphore().LeaseRefs()[0].Holder
		})
	})
	// It was given back at the end, and not left to expire.
	var asked, resolved int
	var lease *types.SemaphoreLease
	a.look(func() {
		same(t, "given back", len(a.called("CancelSemaphoreLease")), 1)
		same(t, "leases", len(semaphore().LeaseRefs()), 0)
		lease = must(semaphore().Acquire("of-another", types.AcquireSemaphoreRequest{
			SemaphoreKind: semaphore().GetSubKind(), SemaphoreName: semaphore().GetName(), MaxLeases: 1,
			Expires: time.Now().Add(time.Hour), Holder: "another",
		}))(t)
		asked, resolved = len(a.called("AcquireSemaphore")), len(a.called("SetAccessRequestState"))
	})

	newDaemon(t, a, "ecdsa", "")
	id := a.add(types.RequestState_PENDING, "alice", nil, "node-1")
	a.until(t, "it asks for what another holds", func() bool { return len(a.called("AcquireSemaphore")) > asked })
	a.look(func() {
		same(t, "resolutions", len(a.called("SetAccessRequestState")), resolved)
		done(t, semaphore().Cancel(*lease))
	})
	a.until(t, "it acts when it is free", func() bool { return a.is(id, types.RequestState_APPROVED) })
	a.mu.Lock()
	defer a.mu.Unlock()
	if refs := semaphore().LeaseRefs(); len(refs) != 1 || refs[0].Holder == "" || refs[0].Holder == first {
		t.Errorf("holders: %v, before %q", refs, first)
	}
}

// It is kept every third of its time, which is the longest wait of all the tests.
func TestALeaseIsKept(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	newDaemon(t, a, "ecdsa", "")
	a.until(t, "it is kept", func() bool { return len(a.called("KeepAliveSemaphoreLease")) > 0 })
	a.until(t, "it ends later", func() bool {
		for _, semaphore := range a.semaphores {
			for _, lease := range semaphore.LeaseRefs() {
				acquired := a.calls[a.called("AcquireSemaphore")[0]].request.(*types.AcquireSemaphoreRequest)
				return lease.Expires.After(acquired.Expires) && lease.Holder == acquired.Holder
			}
		}
		return false
	})
}

// Each refusal once, of each call that there is when the daemon starts and acts.
func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	for method, err := range map[string]error{
		"ListAccessRequests":   trace.ConnectionProblem(nil, "going away"),
		"UpsertLock":           trace.ConnectionProblem(nil, "going away"),
		"GetUserLoginState":    trace.AccessDenied("access denied"),
		"ListUnifiedResources": trace.AccessDenied("access denied"),
		"AcquireSemaphore":     trace.ConnectionProblem(nil, "going away"),
		"GetCurrentUserRoles":  trace.LimitExceeded("too fast"),
	} {
		a.refuse(method, err)
	}
	var ids []string
	for _, node := range []string{"node-1", "node-2", "node-3", "node-4"} {
		ids = append(ids, a.add(types.RequestState_PENDING, "alice", nil, node))
	}
	a.stubborn[ids[0]] = trace.ConnectionProblem(nil, "going away")
	a.stubborn[ids[1]] = trace.LimitExceeded("too fast")
	a.stubborn[ids[2]] = trace.CompareFailed("too many concurrent writes")
	newDaemon(t, a, "ecdsa", "")
	a.until(t, "all are approved, the oldest is locked", func() bool {
		approved := !slices.ContainsFunc(ids, func(id string) bool { return !a.is(id, types.RequestState_APPROVED) })
		return approved && a.lockOn(ids[0]) != nil
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	same(t, "resolutions tried", len(a.called("SetAccessRequestState")), 7)
	same(t, "locks tried", len(a.called("UpsertLock")), 2)
}

func TestWhatIsRefusedIsNotForced(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	refusals := map[string]error{
		"u1": trace.AccessDenied("access denied to perform action `update` on `access_request`"),
		"u2": trace.BadParameter("cannot set request-state"),
		"u3": trace.NotFound("access request is not found"),
		"u4": trace.NotImplemented("unknown method"),
		"u5": trace.AlreadyExists("already exists"),
	}
	for user, err := range refusals {
		a.stubborn[a.add(types.RequestState_PENDING, user, nil, "node-1")] = err
	}
	newDaemon(t, a, "ecdsa", "")
	a.until(t, "each is tried", func() bool { return len(a.stubborn) == 0 })
	fence := a.add(types.RequestState_PENDING, "alice", nil, "node-2")
	a.until(t, "another is approved", func() bool { return a.is(fence, types.RequestState_APPROVED) })
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, request := range a.requests {
		if request.GetState().IsDenied() || len(a.locks) > 0 {
			t.Errorf("`%s` is %v", request.GetUser(), request.GetState())
		}
	}
}

func TestWithoutALockNothingIsApproved(t *testing.T) {
	t.Parallel()
	a := newAuth(t)
	for range 64 {
		a.refuse("UpsertLock", trace.AccessDenied("access denied to perform action `create` on `lock`"))
	}
	for _, node := range []string{"node-1", "node-2", "node-3"} {
		a.add(types.RequestState_APPROVED, "alice", nil, node)
	}
	d := newDaemon(t, a, "ecdsa", "\n[locks]\nhuman-approved = \"enforce\"")
	fourth := a.add(types.RequestState_PENDING, "alice", nil, "node-4")
	a.until(t, "a lock is tried", func() bool { return len(a.called("UpsertLock")) > 0 })
	d.leaves(t, fourth, "alice")
}
