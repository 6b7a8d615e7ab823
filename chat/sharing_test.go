package chat

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// However many devices have no keys, a room waits for all of them together, and
// for each only once.
func TestDevicesWithoutKeysHoldUpARoomOnce(t *testing.T) {
	const where = id.RoomID("!room:x")
	office := &post{devices: map[id.UserID]json.RawMessage{}, oneTime: map[id.UserID]map[string]json.RawMessage{}, mail: map[id.UserID][]*event.Event{}}
	server := httptest.NewServer(office)
	t.Cleanup(server.Close)
	bot := office.join(t, server.URL, "@bot:x")
	bot.sharing = newSharing()
	bot.client.StateStore = bot.mach.StateStore.(mautrix.StateStore)
	people := []id.UserID{"@bot:x", "@anna:x", "@dead:x", "@gone:x"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range people {
		if user != "@bot:x" {
			office.join(t, server.URL, user)
		}
		must(bot.client.StateStore.SetMembership(t.Context(), where, user, event.MembershipJoin))
	}
	must(bot.client.StateStore.SetEncryptionEvent(t.Context(), where, &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}))
	office.oneTime["@dead:x"], office.oneTime["@gone:x"] = nil, nil

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
