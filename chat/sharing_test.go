package chat

import (
	"errors"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// However many devices have no keys, a room waits for all of them together, and
// for each only once.
func TestDevicesWithoutKeysHoldUpARoomOnce(t *testing.T) {
	const where = id.RoomID("!room:x")
	office := newPost()
	bot := office.join(t, "@bot:x")
	bot.sharing = newSharing()
	people := []id.UserID{"@bot:x", "@anna:x", "@dead:x", "@gone:x"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range people {
		if user != "@bot:x" {
			office.join(t, user)
		}
		must(bot.client.StateStore.SetMembership(t.Context(), where, user, event.MembershipJoin))
	}
	must(bot.client.StateStore.SetEncryptionEvent(t.Context(), where, &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}))
	office.LoseOneTimeKeys("@dead:x")
	office.LoseOneTimeKeys("@gone:x")

	share := func() error {
		t.Helper()
		must(bot.mach.ShareGroupSession(t.Context(), where, people))
		session, err := bot.keys.GetOutboundGroupSession(t.Context(), where)
		must(err)
		return bot.reached(t.Context(), where, session.ID())
	}
	if err := share(); !errors.Is(err, errDeviceNotReady) {
		t.Fatalf("with two devices that have no keys: %v", err)
	}
	if session, err := bot.keys.GetOutboundGroupSession(t.Context(), where); err != nil || session != nil {
		t.Errorf("the session that did not reach everybody is still there (%v)", err)
	}
	if err := share(); !errors.Is(err, errDeviceNotReady) {
		t.Errorf("at the second try: %v", err)
	}
	bot.waiting[where] = time.Now().Add(-readyTime)
	must(share())

	must(bot.keys.RemoveOutboundGroupSession(t.Context(), where))
	must(share())
}

// A blocked device gets no key, and what is said does not wait for it.
func TestABlockedDeviceIsLeftOut(t *testing.T) {
	office := newPost()
	bot := office.join(t, theBot)
	bot.sharing = newSharing()
	people := []id.UserID{anna, ben}
	for _, person := range people {
		office.join(t, person)
		if err := bot.client.StateStore.SetMembership(t.Context(), "!room:x", person, event.MembershipJoin); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bot.mach.FetchKeys(t.Context(), people, true); err != nil {
		t.Fatal(err)
	}
	bens, err := bot.keys.GetDevice(t.Context(), ben, device)
	if err != nil {
		t.Fatal(err)
	}
	bens.Trust = id.TrustStateBlacklisted
	if err := bot.keys.PutDevice(t.Context(), ben, bens); err != nil {
		t.Fatal(err)
	}

	if err := bot.mach.ShareGroupSession(t.Context(), "!room:x", people); err != nil {
		t.Fatal(err)
	}
	session, err := bot.keys.GetOutboundGroupSession(t.Context(), "!room:x")
	if err != nil {
		t.Fatal(err)
	}
	if err := bot.reached(t.Context(), "!room:x", session.ID()); err != nil {
		t.Errorf("the session has not reached everybody: %v", err)
	}
	if annas, bens := len(office.Collect(anna)), len(office.Collect(ben)); annas != 1 || bens != 0 {
		t.Errorf("anna got the key %d times and ben, whose device is blocked, %d times", annas, bens)
	}
}
