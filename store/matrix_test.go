package store

import (
	"maps"
	"strings"
	"testing"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/crypto"
	matrix "maunium.net/go/mautrix/event" // event is one of the inbox here
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/sqlstatestore"
)

func TestWhoHasASession(t *testing.T) {
	const room = id.RoomID("!a:x")
	onEachEngine(t, func(t *testing.T, db *DB) {
		keys := crypto.NewSQLCryptoStore(db.Matrix(), dbutil.NoopLogger, "@bot:x", "DEVICE", []byte("key"))
		must(t, keys.DB.Upgrade(t.Context()))
		state := sqlstatestore.NewSQLStateStore(db.Matrix(), dbutil.NoopLogger, false)
		must(t, state.Upgrade(t.Context()))
		key := func(name string) string { return strings.Repeat(name, 43)[:43] } // PostgreSQL fills up what is shorter
		joins := func(room id.RoomID, user id.UserID, membership matrix.Membership, trust id.TrustState, devices ...string) {
			must(t, state.SetMembership(t.Context(), room, user, membership))
			known := map[id.DeviceID]*id.Device{}
			for _, name := range devices {
				known[id.DeviceID(name)] = &id.Device{
					UserID: user, DeviceID: id.DeviceID(name), IdentityKey: id.IdentityKey(key(user.Localpart() + name)), Trust: trust,
				}
			}
			must(t, keys.PutDevices(t.Context(), user, known))
		}
		joins(room, "@anna:x", matrix.MembershipJoin, id.TrustStateUnset, "phone", "tablet")
		joins(room, "@ben:x", matrix.MembershipInvite, id.TrustStateUnset, "phone")
		joins(room, "@clara:x", matrix.MembershipJoin, id.TrustStateBlacklisted, "phone")
		joins(room, "@dora:x", matrix.MembershipLeave, id.TrustStateUnset, "phone")
		joins("!other:x", "@emil:x", matrix.MembershipJoin, id.TrustStateUnset, "phone")
		session, other := id.SessionID(key("s")), id.SessionID(key("o"))
		must(t, keys.MarkOutboundGroupSessionShared(t.Context(), "@anna:x", id.IdentityKey(key("annaphone")), session))
		must(t, keys.MarkOutboundGroupSessionShared(t.Context(), "@anna:x", id.IdentityKey(key("annatablet")), other))
		must(t, keys.MarkOutboundGroupSessionShared(t.Context(), "@other:x", id.IdentityKey(key("benphone")), session))

		devices, err := db.Recipients(t.Context(), room, session)
		must(t, err)
		got := map[string]bool{}
		for _, device := range devices {
			got[device.User.String()+" "+device.Device.String()] = device.HasSession
		}
		if want := map[string]bool{"@anna:x phone": true, "@anna:x tablet": false, "@ben:x phone": false}; !maps.Equal(got, want) {
			t.Errorf("the devices, and which have the session, are %v, want %v", got, want)
		}
	})
}
