package standin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Post carries keys and to-device messages: the part of a homeserver that
// encryption needs. Everybody has one device. The access token of a client is its
// user id, but for an appservice, which says who it is.
type Post struct {
	mu      sync.Mutex
	devices map[id.UserID]json.RawMessage
	oneTime map[id.UserID]map[string]json.RawMessage
	mail    map[id.UserID][]*event.Event // in the order of arrival
	arrived chan struct{}                // closed, and made anew, when there is new mail
}

// NewPost makes one that knows nobody.
func NewPost() *Post {
	return &Post{
		devices: make(map[id.UserID]json.RawMessage), oneTime: make(map[id.UserID]map[string]json.RawMessage),
		mail: make(map[id.UserID][]*event.Event), arrived: make(chan struct{}),
	}
}

// RoundTrip is the way there and back without a network.
func (p *Post) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Result(), r.Context().Err()
}

func (p *Post) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := id.UserID(r.URL.Query().Get("user_id"))
	if from == "" {
		from = id.UserID(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	answer := p.answer
	if strings.HasSuffix(r.URL.Path, "/sync") {
		answer = p.sync
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer(from, r))
}

func (p *Post) answer(from id.UserID, r *http.Request) map[string]any {
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
		close(p.arrived)
		p.arrived = make(chan struct{})
	}
	return answer
}

func (p *Post) deviceOf(user id.UserID) id.DeviceID {
	var keys mautrix.DeviceKeys
	_ = json.Unmarshal(p.devices[user], &keys)
	return keys.DeviceID
}

// sync shows the mail from a position on, and waits for some.
func (p *Post) sync(from id.UserID, r *http.Request) map[string]any {
	position, _ := strconv.Atoi(r.URL.Query().Get("since"))
	wait, _ := strconv.Atoi(r.URL.Query().Get("timeout"))
	enough := time.After(time.Duration(wait) * time.Millisecond)
	mail, arrived := p.mailOf(from)
	for waiting := true; waiting && len(mail) <= position; mail, arrived = p.mailOf(from) {
		select {
		case <-arrived:
		case <-enough:
			waiting = false
		case <-r.Context().Done():
			waiting = false
		}
	}
	return map[string]any{
		"next_batch":                       fmt.Sprint(len(mail)),
		"to_device":                        map[string]any{"events": mail[position:]},
		"device_one_time_keys_count":       map[string]int{"signed_curve25519": 100},
		"device_unused_fallback_key_types": []id.KeyAlgorithm{id.KeyAlgorithmSignedCurve25519},
	}
}

func (p *Post) mailOf(user id.UserID) (mail []*event.Event, arrived <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mail[user], p.arrived
}

// Collect takes what has come for somebody, which /sync then no longer shows.
func (p *Post) Collect(user id.UserID) []*event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	mail := p.mail[user]
	p.mail[user] = nil
	return mail
}

// LoseOneTimeKeys takes away somebody's one-time keys.
func (p *Post) LoseOneTimeKeys(user id.UserID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.oneTime[user] = nil
}
