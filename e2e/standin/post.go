package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strconv"
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

// post is a homeserver that only carries keys and to-device messages, without a
// network. Everybody has one device. The access token of a client is its user id,
// but for an appservice, which says who it is.
type post struct {
	mu      sync.Mutex
	devices map[id.UserID]json.RawMessage
	oneTime map[id.UserID]map[string]json.RawMessage
	mail    map[id.UserID][]*event.Event // in the order of arrival
}

func newPost() *post {
	return &post{
		devices: make(map[id.UserID]json.RawMessage), oneTime: make(map[id.UserID]map[string]json.RawMessage),
		mail: make(map[id.UserID][]*event.Event),
	}
}

const device = id.DeviceID("DEVICE") // of everybody who joins

// RoundTrip is the way there and back.
func (p *post) RoundTrip(r *http.Request) (*http.Response, error) {
	from := id.UserID(r.URL.Query().Get("user_id"))
	if from == "" {
		from = id.UserID(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	answer := p.answer
	if strings.HasSuffix(r.URL.Path, "/sync") {
		answer = p.sync
	}
	body, err := json.Marshal(answer(from, r))
	if err != nil {
		return nil, err
	}
	return says(http.StatusOK, string(body)), r.Context().Err()
}

func (p *post) answer(from id.UserID, r *http.Request) map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := map[string]any{}
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/keys/upload"):
		var keys struct {
			Device  json.RawMessage            `json:"device_keys"`
			OneTime map[string]json.RawMessage `json:"one_time_keys"`
		}
		_ = json.NewDecoder(r.Body).Decode(&keys)
		if keys.Device != nil {
			p.devices[from], p.oneTime[from] = keys.Device, make(map[string]json.RawMessage)
		}
		maps.Copy(p.oneTime[from], keys.OneTime)
		answer["one_time_key_counts"] = map[string]int{"signed_curve25519": len(p.oneTime[from])}
	case strings.HasSuffix(path, "/keys/query"):
		found := map[id.UserID]any{}
		for user, keys := range p.devices {
			found[user] = map[id.DeviceID]json.RawMessage{p.deviceOf(user): keys}
		}
		answer["device_keys"] = found
	case strings.HasSuffix(path, "/keys/claim"):
		var claim mautrix.ReqClaimKeys
		_ = json.NewDecoder(r.Body).Decode(&claim)
		claimed := map[id.UserID]any{}
		for user := range claim.OneTimeKeys {
			for name, key := range p.oneTime[user] {
				delete(p.oneTime[user], name)
				claimed[user] = map[id.DeviceID]any{p.deviceOf(user): map[string]json.RawMessage{name: key}}
				break
			}
		}
		answer["one_time_keys"] = claimed
	case strings.Contains(path, "/sendToDevice/m.room.encrypted/"):
		var sent struct {
			Messages map[id.UserID]map[id.DeviceID]json.RawMessage `json:"messages"`
		}
		_ = json.NewDecoder(r.Body).Decode(&sent)
		for to, contents := range sent.Messages {
			evt := &event.Event{Sender: from, Type: event.ToDeviceEncrypted}
			_ = json.Unmarshal(contents[p.deviceOf(to)], &evt.Content)
			p.mail[to] = append(p.mail[to], evt)
		}
	}
	return answer
}

func (p *post) deviceOf(user id.UserID) id.DeviceID {
	var keys mautrix.DeviceKeys
	_ = json.Unmarshal(p.devices[user], &keys)
	return keys.DeviceID
}

// sync shows the mail from a position on, and waits for some.
func (p *post) sync(from id.UserID, r *http.Request) map[string]any {
	position, _ := strconv.Atoi(r.URL.Query().Get("since"))
	wait, _ := strconv.Atoi(r.URL.Query().Get("timeout"))
	for ; wait > 0 && len(p.mailOf(from)) <= position && r.Context().Err() == nil; wait -= 1000 {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second):
		}
	}
	mail := p.mailOf(from)
	return map[string]any{
		"next_batch":                       fmt.Sprint(len(mail)),
		"to_device":                        map[string]any{"events": mail[position:]},
		"device_one_time_keys_count":       map[string]int{"signed_curve25519": 100},
		"device_unused_fallback_key_types": []id.KeyAlgorithm{id.KeyAlgorithmSignedCurve25519},
	}
}

func (p *post) mailOf(user id.UserID) []*event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mail[user]
}

func (p *post) collect(user id.UserID) []*event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	mail := p.mail[user]
	p.mail[user] = nil
	return mail
}

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
	return &encryption{mach: mach, keys: keys, client: client, store: db, turn: make(chan struct{}, 1)}
}
