package chat

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/sqlstatestore"

	"matrix-registration-bot/e2e/standin"
	"matrix-registration-bot/store"
)

// post carries keys and to-device messages, without a network.
type post struct{ *standin.Post }

func newPost() *post { return &post{standin.NewPost()} }

const device = id.DeviceID("DEVICE") // of everybody who joins

// join makes somebody's device, with its keys in a database of its own.
func (p *post) join(t *testing.T, user id.UserID) *encryption {
	t.Helper()
	db, err := store.Open("sqlite:"+filepath.Join(t.TempDir(), "bot.db"), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	client, err := mautrix.NewClient("http://homeserver", user, user.String())
	if err != nil {
		t.Fatal(err)
	}
	client.DeviceID, client.Client = device, &http.Client{Transport: p}
	state := sqlstatestore.NewSQLStateStore(db.Matrix(), dbutil.NoopLogger, false)
	client.StateStore = state
	keys := crypto.NewSQLCryptoStore(db.Matrix(), dbutil.NoopLogger, user.String(), device, []byte("key"))
	mach := crypto.NewOlmMachine(client, nil, keys, state)
	for _, prepare := range []func(context.Context) error{
		state.Upgrade, keys.DB.Upgrade, mach.Load, func(ctx context.Context) error { return mach.ShareKeys(ctx, -1) },
	} {
		if err := prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	e := &encryption{mach: mach, keys: keys, client: client, store: db, turn: make(chan struct{}, 1)}
	mach.CryptoStore = turnStore{keys, e}
	return e
}
