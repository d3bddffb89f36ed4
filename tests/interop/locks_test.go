package interop

import (
	"testing"
	"time"

	"github.com/gravitational/teleport/api/types"
)

func lock(t testing.TB, name string, target types.LockTarget) types.Lock {
	t.Helper()
	return must(types.NewLock(name, types.LockSpecV2{Target: target, Message: "gives way"}))(t)
}

func TestLocksAreWrittenReadListedAndDeleted(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	mine := lock(t, "tribunal-1", types.LockTarget{AccessRequest: "r-1"})
	mine.SetLockExpiry(&until)
	mine.SetExpiry(until)
	done(t, bot.UpsertLock(within(t), mine))
	read := must(bot.GetLock(within(t), "tribunal-1"))(t)
	same(t, "target", read.Target().Equals(types.LockTarget{AccessRequest: "r-1"}), true)
	same(t, "message", read.Message(), "gives way")
	same(t, "by", read.CreatedBy(), "bot-tribunal")
	same(t, "kind", read.GetKind(), types.KindLock)
	same(t, "version", read.GetVersion(), types.V2)
	same(t, "in force", read.IsInForce(time.Now()), true)
	same(t, "over", read.IsInForce(until.Add(time.Second)), false)
	if expiry := read.LockExpiry(); expiry == nil || !expiry.Equal(until) || !read.Expiry().Equal(until) {
		t.Errorf("expires %v and %v, want %v", expiry, read.Expiry(), until)
	}
	if since := time.Since(read.CreatedAt()); since < -time.Minute || since > time.Minute {
		t.Errorf("created %v ago", since)
	}
	done(t, read.(*types.LockV2).CheckAndSetDefaults())

	// Written again under its name, it is replaced.
	again := lock(t, "tribunal-1", types.LockTarget{AccessRequest: "r-2"})
	done(t, bot.UpsertLock(within(t), again))
	if must(bot.GetLock(within(t), "tribunal-1"))(t).LockExpiry() != nil {
		t.Error("the replaced lock's end stayed")
	}
	past := time.Now().Add(-time.Hour)
	over := lock(t, "over", types.LockTarget{User: "zoe"})
	over.SetLockExpiry(&past)
	done(t, bot.UpsertLock(within(t), over))
	same(t, "all", len(must(bot.GetLocks(within(t), false))(t)), 2)
	same(t, "in force", len(must(bot.GetLocks(within(t), true))(t)), 1)
	same(t, "of zoe", len(must(bot.GetLocks(within(t), false, types.LockTarget{User: "zoe"}))(t)), 1)
	same(t, "of nobody", len(must(bot.GetLocks(within(t), false, types.LockTarget{User: "yan"}))(t)), 0)

	done(t, bot.DeleteLock(within(t), "tribunal-1"))
	_, err := bot.GetLock(within(t), "tribunal-1")
	refused(t, err, notFound, "not found")
	refused(t, bot.DeleteLock(within(t), "tribunal-1"), notFound, "not found")
}

func TestEveryTargetSurvivesTheWay(t *testing.T) {
	c := serve(t)
	bot := c.as(t, "bot")
	whole := types.LockTarget{
		User: "u", Role: "r", Login: "l", MFADevice: "m", WindowsDesktop: "w", AccessRequest: "a", Device: "d", ServerID: "s",
	}
	done(t, bot.UpsertLock(within(t), lock(t, "whole", whole)))
	if target := must(bot.GetLock(within(t), "whole"))(t).Target(); !target.Equals(whole) {
		t.Errorf("target: %v, want %v", target, whole)
	}
}

func TestALockOnAUserRefusesThem(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	done(t, bot.UpsertLock(within(t), lock(t, "l", types.LockTarget{User: "alice"})))
	_, err := alice.Ping(within(t))
	refused(t, err, accessDenied, `lock targeting User:"alice" is in force: gives way`)
	done(t, bot.DeleteLock(within(t), "l"))
	_, err = alice.Ping(within(t))
	done(t, err)
	// And a lock on a request refuses whoever has assumed it.
	elevated := c.as(t, "elevated")
	done(t, bot.UpsertLock(within(t), lock(t, "l", types.LockTarget{AccessRequest: "0190a7c6-7c00-7000-8000-000000000001"})))
	_, err = elevated.Ping(within(t))
	refused(t, err, accessDenied, "lock targeting AccessRequest")
}

func TestWhatMayNotBeLockedIsRefused(t *testing.T) {
	c := serve(t)
	alice, bot := c.as(t, "alice"), c.as(t, "bot")
	refused(t, bot.UpsertLock(within(t), &types.LockV2{Metadata: types.Metadata{Name: "l"}}), badParameter, "target")
	nameless := &types.LockV2{Spec: types.LockSpecV2{Target: types.LockTarget{User: "u"}}}
	refused(t, bot.UpsertLock(within(t), nameless), badParameter, "name")
	other := lock(t, "l", types.LockTarget{User: "u"}).(*types.LockV2)
	other.Kind = types.KindRole
	refused(t, bot.UpsertLock(within(t), other), badParameter, "kind")
	refused(t, alice.UpsertLock(within(t), lock(t, "l", types.LockTarget{User: "u"})), accessDenied, "create")
	refused(t, alice.DeleteLock(within(t), "l"), accessDenied, "delete")
	_, err := alice.GetLock(within(t), "l")
	refused(t, err, accessDenied, "read")
	_, err = alice.GetLocks(within(t), false)
	refused(t, err, accessDenied, "list")
}
