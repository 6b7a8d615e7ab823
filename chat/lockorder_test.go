package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/sqlstatestore"

	"matrix-registration-bot/store"
)

// post is a homeserver that only carries keys and to-device messages. The
// access token of a client is its user id.
type post struct {
	mu      sync.Mutex
	devices map[id.UserID]json.RawMessage
	oneTime map[id.UserID]map[string]json.RawMessage
	mail    map[id.UserID][]*event.Event
}

const device = id.DeviceID("DEVICE") // everybody's

func (p *post) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := id.UserID(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	answer := map[string]any{}
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/keys/upload"):
		var keys struct {
			Device  json.RawMessage            `json:"device_keys"`
			OneTime map[string]json.RawMessage `json:"one_time_keys"`
		}
		_ = json.NewDecoder(r.Body).Decode(&keys)
		p.devices[from], p.oneTime[from] = keys.Device, keys.OneTime
		answer["one_time_key_counts"] = map[string]int{"signed_curve25519": len(keys.OneTime)}
	case strings.HasSuffix(path, "/keys/query"):
		found := map[id.UserID]any{}
		for user, keys := range p.devices {
			found[user] = map[id.DeviceID]json.RawMessage{device: keys}
		}
		answer["device_keys"] = found
	case strings.HasSuffix(path, "/keys/claim"):
		var claim mautrix.ReqClaimKeys
		_ = json.NewDecoder(r.Body).Decode(&claim)
		claimed := map[id.UserID]any{}
		for user := range claim.OneTimeKeys {
			for name, key := range p.oneTime[user] {
				delete(p.oneTime[user], name)
				claimed[user] = map[id.DeviceID]any{device: map[string]json.RawMessage{name: key}}
				break
			}
		}
		answer["one_time_keys"] = claimed
	case strings.Contains(path, "/sendToDevice/"):
		var sent struct {
			Messages map[id.UserID]map[id.DeviceID]json.RawMessage `json:"messages"`
		}
		_ = json.NewDecoder(r.Body).Decode(&sent)
		for to, contents := range sent.Messages {
			evt := &event.Event{Sender: from, Type: event.ToDeviceEncrypted}
			_ = json.Unmarshal(contents[device], &evt.Content)
			p.mail[to] = append(p.mail[to], evt)
		}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *post) collect(user id.UserID) []*event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	mail := p.mail[user]
	p.mail[user] = nil
	return mail
}

// join makes somebody's device, with its keys in a database of its own.
func (p *post) join(t *testing.T, url string, user id.UserID) *encryption {
	t.Helper()
	db, err := store.Open("sqlite:"+filepath.Join(t.TempDir(), "bot.db"), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	client, err := mautrix.NewClient(url, user, user.String())
	if err != nil {
		t.Fatal(err)
	}
	client.DeviceID = device
	state := sqlstatestore.NewSQLStateStore(db.Matrix(), dbutil.NoopLogger, false)
	keys := crypto.NewSQLCryptoStore(db.Matrix(), dbutil.NoopLogger, user.String(), device, []byte("key"))
	mach := crypto.NewOlmMachine(client, nil, keys, state)
	for _, prepare := range []func(context.Context) error{
		state.Upgrade, keys.DB.Upgrade, mach.Load, func(ctx context.Context) error { return mach.ShareKeys(ctx, -1) },
	} {
		if err := prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return &encryption{mach: mach, keys: keys, client: client, store: db, turn: make(chan struct{}, 1)}
}

// sendKey sends something encrypted to somebody's device, as room keys are.
func (e *encryption) sendKey(ctx context.Context, user id.UserID) error {
	return e.take(ctx, func(ctx context.Context) error {
		to, err := e.mach.GetOrFetchDevice(ctx, user, device)
		if err != nil {
			return err
		}
		return e.mach.SendEncryptedToDevice(ctx, to, event.ToDeviceDummy, event.Content{Parsed: &event.DummyEventContent{}})
	})
}

// Keys go out while to-device messages come in and are committed. mautrix takes
// its lock and the database's in one order here and in the other there; only
// the turn keeps the two from waiting for each other.
func TestKeysGoOutWhileToDeviceMessagesComeIn(t *testing.T) {
	const rounds = 1000
	office := &post{devices: map[id.UserID]json.RawMessage{}, oneTime: map[id.UserID]map[string]json.RawMessage{}, mail: map[id.UserID][]*event.Event{}}
	server := httptest.NewServer(office)
	t.Cleanup(server.Close)
	bot, friend := office.join(t, server.URL, "@bot:x"), office.join(t, server.URL, "@friend:x")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	var sides sync.WaitGroup
	sides.Go(func() { // the bot shares keys
		for n := range rounds {
			if err := bot.sendKey(ctx, "@friend:x"); err != nil {
				t.Errorf("sharing for the %d. time: %v", n+1, err)
				return
			}
		}
	})
	received := 0
	sides.Go(func() { // and receives them
		for n := range rounds {
			if err := friend.sendKey(ctx, "@bot:x"); err != nil {
				t.Errorf("the friend's %d. key: %v", n+1, err)
				return
			}
			mail := office.collect("@bot:x")
			received += len(mail)
			news := &mautrix.RespSync{NextBatch: fmt.Sprint(n), FallbackKeys: []id.KeyAlgorithm{id.KeyAlgorithmSignedCurve25519}}
			news.ToDevice.Events = mail
			news.DeviceOTKCount.SignedCurve25519 = 100
			if err := bot.receive(ctx, news, ""); err != nil {
				t.Errorf("receiving for the %d. time: %v", n+1, err)
				return
			}
		}
	})
	sides.Wait()
	if position, err := bot.keys.GetNextBatch(t.Context()); err != nil || received != rounds || position != fmt.Sprint(rounds-1) {
		t.Errorf("received %d messages up to position %q (%v), want %d", received, position, err, rounds)
	}
}
