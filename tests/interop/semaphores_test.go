package interop

import (
	"testing"
	"time"

	"github.com/gravitational/teleport/api/types"
)

func leaseOf(holder string, until time.Time) types.AcquireSemaphoreRequest {
	return types.AcquireSemaphoreRequest{
		SemaphoreKind: "tribunal", SemaphoreName: "leader", MaxLeases: 1, Expires: until, Holder: holder,
	}
}

func TestOneHolderAtATime(t *testing.T) {
	c := serve(t)
	bot, admin := c.as(t, "bot"), c.as(t, "admin")
	until := time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)
	lease := must(bot.AcquireSemaphore(within(t), leaseOf("a", until)))(t)
	done(t, lease.CheckAndSetDefaults())
	same(t, "expires", lease.Expires.Equal(until), true)
	_, err := admin.AcquireSemaphore(within(t), leaseOf("b", until))
	refused(t, err, limitExceeded, "cannot acquire")

	later := until.Add(time.Minute)
	lease.Expires = later
	done(t, bot.KeepAliveSemaphoreLease(within(t), *lease))
	filter := types.SemaphoreFilter{SemaphoreKind: "tribunal", SemaphoreName: "leader"}
	held := must(bot.GetSemaphores(within(t), filter))(t)
	if len(held) != 1 || len(held[0].LeaseRefs()) != 1 {
		t.Fatalf("held: %v", held)
	}
	ref := held[0].LeaseRefs()[0]
	same(t, "holder", ref.Holder, "a")
	same(t, "lease", ref.LeaseID, lease.LeaseID)
	same(t, "until", ref.Expires.Equal(later), true)
	same(t, "contains", held[0].Contains(*lease), true)
	same(t, "kind", held[0].GetSubKind(), "tribunal")
	done(t, held[0].(*types.SemaphoreV3).CheckAndSetDefaults())

	done(t, bot.CancelSemaphoreLease(within(t), *lease))
	refused(t, bot.KeepAliveSemaphoreLease(within(t), *lease), notFound, "not found")
	refused(t, bot.CancelSemaphoreLease(within(t), *lease), notFound, "not found")
	must(admin.AcquireSemaphore(within(t), leaseOf("b", until)))(t)
	done(t, admin.DeleteSemaphore(within(t), filter))
	same(t, "left", len(must(bot.GetSemaphores(within(t), types.SemaphoreFilter{}))(t)), 0)
	refused(t, admin.DeleteSemaphore(within(t), filter), notFound, "not found")
}

func TestWhatIsNoLeaseIsRefused(t *testing.T) {
	c := serve(t)
	bot, alice := c.as(t, "bot"), c.as(t, "alice")
	soon := time.Now().Add(time.Minute)
	for name, change := range map[string]func(*types.AcquireSemaphoreRequest){
		"no kind":    func(r *types.AcquireSemaphoreRequest) { r.SemaphoreKind = "" },
		"no name":    func(r *types.AcquireSemaphoreRequest) { r.SemaphoreName = "" },
		"no leases":  func(r *types.AcquireSemaphoreRequest) { r.MaxLeases = 0 },
		"no end":     func(r *types.AcquireSemaphoreRequest) { r.Expires = time.Time{} },
		"over":       func(r *types.AcquireSemaphoreRequest) { r.Expires = time.Now().Add(-time.Minute) },
		"long since": func(r *types.AcquireSemaphoreRequest) { r.Expires = time.Unix(0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			request := leaseOf("a", soon)
			change(&request)
			_, err := bot.AcquireSemaphore(within(t), request)
			refused(t, err, badParameter, "")
		})
	}
	_, err := alice.AcquireSemaphore(within(t), leaseOf("a", soon))
	refused(t, err, accessDenied, "semaphore")
	lease := must(bot.AcquireSemaphore(within(t), leaseOf("a", soon)))(t)
	refused(t, alice.KeepAliveSemaphoreLease(within(t), *lease), accessDenied, "semaphore")
	refused(t, alice.CancelSemaphoreLease(within(t), *lease), accessDenied, "semaphore")
	_, err = alice.GetSemaphores(within(t), types.SemaphoreFilter{})
	refused(t, err, accessDenied, "semaphore")
	refused(t, alice.DeleteSemaphore(within(t), types.SemaphoreFilter{SemaphoreKind: "tribunal", SemaphoreName: "leader"}), accessDenied, "delete")
	over := *lease
	over.Expires = time.Now().Add(-time.Minute)
	refused(t, bot.KeepAliveSemaphoreLease(within(t), over), badParameter, "expired")
	refused(t, bot.CancelSemaphoreLease(within(t), over), badParameter, "expired")
	nameless := *lease
	nameless.LeaseID = ""
	refused(t, bot.KeepAliveSemaphoreLease(within(t), nameless), badParameter, "missing")
	refused(t, bot.DeleteSemaphore(within(t), types.SemaphoreFilter{}), badParameter, "missing")
}
