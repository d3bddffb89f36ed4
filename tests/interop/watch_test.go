package interop

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/gravitational/teleport/api/client"
	"github.com/gravitational/teleport/api/types"
)

// watch begins a watch and takes its INIT.
func watch(t *testing.T, as *client.Client, of types.Watch) types.Watcher {
	t.Helper()
	watcher := must(as.NewWatcher(within(t), of))(t)
	t.Cleanup(func() { watcher.Close() })
	init := next(t, watcher)
	same(t, "first event", init.Type, types.OpInit)
	status, ok := init.Resource.(types.WatchStatus)
	if !ok {
		t.Fatalf("INIT carries %T", init.Resource)
	}
	same(t, "confirmed kinds", len(status.GetKinds()), len(of.Kinds))
	return watcher
}

func next(t *testing.T, watcher types.Watcher) types.Event {
	t.Helper()
	select {
	case event := <-watcher.Events():
		return event
	case <-watcher.Done():
		t.Fatalf("the watch ended: %v", watcher.Error())
	case <-time.After(patience):
		t.Fatal("no event came")
	}
	return types.Event{}
}

func TestAWatchTellsOfRequestsAndLocks(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	watcher := watch(t, bot, types.Watch{Kinds: []types.WatchKind{{Kind: types.KindAccessRequest}, {Kind: types.KindLock}}})

	made := ask(t, alice, "alice", "prod-admin")
	put := next(t, watcher)
	request, ok := put.Resource.(types.AccessRequest)
	if !ok || put.Type != types.OpPut {
		t.Fatalf("%v of a %T", put.Type, put.Resource)
	}
	same(t, "id", request.GetName(), made.GetName())
	same(t, "state", request.GetState(), types.RequestState_PENDING)

	deny := types.AccessRequestUpdate{RequestID: made.GetName(), State: types.RequestState_DENIED, Reason: "no"}
	done(t, bot.SetAccessRequestState(within(t), deny))
	same(t, "state", next(t, watcher).Resource.(types.AccessRequest).GetState(), types.RequestState_DENIED)

	done(t, bot.UpsertLock(within(t), lock(t, "l", types.LockTarget{AccessRequest: made.GetName()})))
	locked := next(t, watcher)
	same(t, "type", locked.Type, types.OpPut)
	same(t, "target", locked.Resource.(types.Lock).Target().AccessRequest, made.GetName())

	done(t, bot.DeleteLock(within(t), "l"))
	deleted(t, next(t, watcher), types.KindLock, "l")
	done(t, c.as(t, "admin").DeleteAccessRequest(within(t), made.GetName()))
	deleted(t, next(t, watcher), types.KindAccessRequest, made.GetName())
}

func deleted(t *testing.T, event types.Event, kind, name string) {
	t.Helper()
	same(t, "type", event.Type, types.OpDelete)
	same(t, "kind", event.Resource.GetKind(), kind)
	same(t, "name", event.Resource.GetName(), name)
}

func TestAFilterNarrowsWhatIsPutAndNothingElse(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	filter := types.AccessRequestFilter{State: types.RequestState_PENDING}
	pending := watch(t, bot, types.Watch{Kinds: []types.WatchKind{{Kind: types.KindAccessRequest, Filter: filter.IntoMap()}}})
	own := watch(t, alice, types.Watch{Kinds: []types.WatchKind{{
		Kind: types.KindAccessRequest, Filter: (&types.AccessRequestFilter{User: "alice"}).IntoMap(),
	}}})
	first := ask(t, alice, "alice", "prod-admin").GetName()
	approve := types.AccessRequestUpdate{RequestID: first, State: types.RequestState_APPROVED}
	done(t, bot.SetAccessRequestState(within(t), approve))
	second := ask(t, alice, "alice", "prod-admin").GetName()
	same(t, "pending", next(t, pending).Resource.GetName(), first)
	same(t, "pending", next(t, pending).Resource.GetName(), second)
	for _, want := range []types.RequestState{types.RequestState_PENDING, types.RequestState_APPROVED, types.RequestState_PENDING} {
		same(t, "own", next(t, own).Resource.(types.AccessRequest).GetState(), want)
	}
}

func TestWhatMayNotBeWatchedIsRefused(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	cases := []struct {
		name  string
		as    *client.Client
		watch types.Watch
		kind  kind
		words string
	}{
		{"everything", bot, types.Watch{}, accessDenied, "watch"},
		{"without the verb", alice, types.Watch{Kinds: []types.WatchKind{{Kind: types.KindLock}}}, accessDenied, "read"},
		{"requests of others", alice, types.Watch{Kinds: []types.WatchKind{{Kind: types.KindAccessRequest}}}, accessDenied, "read"},
		{"one of two", alice, types.Watch{Kinds: []types.WatchKind{
			{Kind: types.KindAccessRequest, Filter: map[string]string{"user": "alice"}}, {Kind: types.KindLock},
		}}, accessDenied, "read"},
		{"none that may be", alice, types.Watch{
			Kinds: []types.WatchKind{{Kind: types.KindLock}}, AllowPartialSuccess: true,
		}, badParameter, "none"},
		{"an unknown key", bot, types.Watch{Kinds: []types.WatchKind{
			{Kind: types.KindAccessRequest, Filter: map[string]string{"color": "red"}},
		}}, badParameter, "color"},
		{"an unknown state", bot, types.Watch{Kinds: []types.WatchKind{
			{Kind: types.KindAccessRequest, Filter: map[string]string{"state": "asleep"}},
		}}, badParameter, "asleep"},
	}
	for _, each := range cases {
		t.Run(each.name, func(t *testing.T) {
			watcher, err := each.as.NewWatcher(within(t), each.watch)
			if err == nil {
				defer watcher.Close()
				select {
				case event := <-watcher.Events():
					t.Fatalf("an event: %v", event)
				case <-watcher.Done():
					err = watcher.Error()
				}
			}
			refused(t, err, each.kind, each.words)
		})
	}
}

func TestAPartialWatchSaysWhatItConfirms(t *testing.T) {
	c := serve(t)
	own := types.WatchKind{Kind: types.KindAccessRequest, Filter: map[string]string{"user": "alice"}}
	watcher := must(c.as(t, "alice").NewWatcher(within(t), types.Watch{
		Kinds: []types.WatchKind{own, {Kind: types.KindLock}}, AllowPartialSuccess: true,
	}))(t)
	defer watcher.Close()
	confirmed := next(t, watcher).Resource.(types.WatchStatus).GetKinds()
	if len(confirmed) != 1 || confirmed[0].Kind != types.KindAccessRequest {
		t.Errorf("confirmed: %v", confirmed)
	}
}

func TestABrokenWatchEndsAndIsBegunAnew(t *testing.T) {
	c := serve(t, "[faults]\ndrop-watch-after = 2")
	bot, alice := c.as(t, "bot"), c.as(t, "alice")
	of := types.Watch{Kinds: []types.WatchKind{{Kind: types.KindAccessRequest}}}
	for range 2 {
		watcher := watch(t, bot, of)
		ask(t, alice, "alice", "prod-admin")
		same(t, "type", next(t, watcher).Type, types.OpPut)
		select {
		case <-watcher.Done():
			if err := watcher.Error(); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("ended with %v", err)
			}
		case <-time.After(patience):
			t.Fatal("the watch did not break")
		}
	}
}
