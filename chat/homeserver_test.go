package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/store"
)

const theBot = id.UserID("@bot:x")

// homeserver is just enough of one for tests of time and order: no network, so
// that they can run by the clock of testing/synctest. Every room has the bot and
// the people in it; how a real one behaves is for the end-to-end tests.
type homeserver struct {
	mu     sync.Mutex
	people []id.UserID
	joined []id.RoomID // what it says when the bot asks for its rooms
	sent   []sent
	set    []setting         // state that the bot set, the newest last
	known  map[string]memory // by room, transaction id and device
	post   *post             // carries keys; nil = nothing here is encrypted
	// keyRequests is how often the bot has asked for the key of a message.
	keyRequests int
	// fault answers in the homeserver's place unless it returns nil twice; late
	// does the same when it has done as asked.
	fault, late fault
}

// fault is something that goes wrong with a request.
type fault func(*http.Request) (*http.Response, error)

func (f fault) answer(r *http.Request) (*http.Response, error) {
	if f == nil {
		return nil, nil
	}
	return f(r)
}

// memory is what a homeserver keeps of a transaction id for a day.
type memory struct {
	event id.EventID
	since time.Time
}

// sent is a message of the bot.
type sent struct {
	room    id.RoomID
	kind    string
	event   id.EventID
	txnID   string
	device  string
	content event.MessageEventContent
}

// setting is a state event of the bot.
type setting struct {
	room    id.RoomID
	key     string
	content json.RawMessage
}

func (h *homeserver) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	early, late := h.fault, h.late
	h.mu.Unlock()
	if response, err := early.answer(r); response != nil || err != nil {
		return response, err
	}
	done := h.answer(r)
	if response, err := late.answer(r); response != nil || err != nil {
		return response, err
	}
	return done, nil
}

func (h *homeserver) answer(r *http.Request) *http.Response {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/_matrix/client/"), "/")[1:] // without the version
	switch {
	case h.post != nil && slices.Contains([]string{"keys", "sendToDevice", "sync"}, path[0]):
		if slices.Contains(path, event.ToDeviceRoomKeyRequest.Type) {
			h.mu.Lock()
			h.keyRequests++
			h.mu.Unlock()
		}
		response, err := h.post.RoundTrip(r)
		if err != nil {
			return says(http.StatusGatewayTimeout, `{}`)
		}
		return response
	case path[0] == "register":
		return says(http.StatusBadRequest, `{"errcode":"M_USER_IN_USE"}`)
	case path[0] == "profile":
		return says(http.StatusOK, `{"displayname":"Bot"}`)
	case path[0] == "joined_rooms":
		body, err := json.Marshal(map[string]any{"joined_rooms": h.joined})
		if err != nil {
			panic(err)
		}
		return says(http.StatusOK, string(body))
	case path[0] == "account":
		return says(http.StatusOK, fmt.Sprintf(`{"device_id":%q}`, r.URL.Query().Get("device_id")))
	case path[0] != "rooms":
		return says(http.StatusOK, `{}`)
	}
	room, device := id.RoomID(path[1]), r.URL.Query().Get("device_id")
	switch path[2] {
	case "state":
		if r.Method == http.MethodPut {
			h.keep(room, strings.Join(path[4:], "/"), r.Body)
			return says(http.StatusOK, `{"event_id":"$state"}`)
		}
		return says(http.StatusOK, h.state(room))
	case "send":
		return says(http.StatusOK, fmt.Sprintf(`{"event_id":%q}`, h.take(room, path[3], path[4], device, r.Body)))
	case "join":
		return says(http.StatusOK, fmt.Sprintf(`{"room_id":%q}`, room))
	case "messages":
		return says(http.StatusOK, h.messages(room, device))
	}
	return says(http.StatusOK, `{}`)
}

func (h *homeserver) state(room id.RoomID) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var events []string
	for _, user := range append(h.people, theBot) {
		events = append(events, fmt.Sprintf(`{"type":"m.room.member","state_key":%q,"sender":%q,"content":{"membership":"join"}}`, user, user))
	}
	if h.post != nil {
		events = append(events, `{"type":"m.room.encryption","state_key":"","content":{"algorithm":"m.megolm.v1.aes-sha2"}}`)
	}
	for _, s := range h.set {
		if s.room == room {
			events = append(events, fmt.Sprintf(`{"type":"org.matrix.msc4391.command_description","state_key":%q,"sender":%q,"content":%s}`, s.key, theBot, s.content))
		}
	}
	return "[" + strings.Join(events, ",") + "]"
}

func (h *homeserver) keep(room id.RoomID, key string, body io.Reader) {
	content, err := io.ReadAll(body)
	if err != nil {
		panic(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.set = append(h.set, setting{room, key, content})
}

func (h *homeserver) take(room id.RoomID, kind, txnID, device string, body io.Reader) id.EventID {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := room.String() + " " + txnID + " " + device
	if known, ok := h.known[key]; ok && time.Since(known.since) < 24*time.Hour {
		return known.event
	}
	s := sent{room: room, kind: kind, event: id.EventID(fmt.Sprintf("$answer%d", len(h.sent))), txnID: txnID, device: device}
	if err := json.NewDecoder(body).Decode(&s.content); err != nil {
		panic(err)
	}
	h.sent = append(h.sent, s)
	h.known[key] = memory{s.event, time.Now()}
	return s.event
}

// messages shows a transaction id to the device that used it, as Synapse does.
func (h *homeserver) messages(room id.RoomID, device string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var newest []string
	for i := len(h.sent) - 1; i >= 0; i-- {
		if s := h.sent[i]; s.room == room {
			content, err := json.Marshal(s.content)
			if err != nil {
				panic(err)
			}
			txnID := ""
			if s.device == device {
				txnID = s.txnID
			}
			newest = append(newest, fmt.Sprintf(`{"type":%q,"event_id":%q,"sender":%q,"content":%s,"unsigned":{"transaction_id":%q}}`,
				s.kind, s.event, theBot, content, txnID))
		}
	}
	return `{"chunk":[` + strings.Join(newest, ",") + `]}`
}

// forget is a restart of a homeserver that keeps what was sent in memory only.
func (h *homeserver) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.known)
}

// spoil sets what goes wrong from now on.
func (h *homeserver) spoil(early, late fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault, h.late = early, late
}

// said are the bodies of what the bot sent to a room.
func (h *homeserver) said(room id.RoomID) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var bodies []string
	for _, s := range h.sent {
		if s.room == room {
			bodies = append(bodies, s.content.Body)
		}
	}
	return bodies
}

func says(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(body)),
	}
}

// silent never answers.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// away puts requests off by an hour.
func away(*http.Request) (*http.Response, error) {
	const nextHour = `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":3500000}`
	return says(http.StatusTooManyRequests, nextHour), nil
}

// to narrows a fault down to requests whose path holds a text.
func to(part string, f fault) fault {
	return func(r *http.Request) (*http.Response, error) {
		if !strings.Contains(r.URL.Path, part) {
			return nil, nil
		}
		return f(r)
	}
}

// handler is Commands for tests: it answers texts, and everybody may do it.
type handler func(ctx context.Context, m commands.Message) (commands.Finish, error)

func (h handler) Handle(ctx context.Context, m commands.Message) (commands.Finish, error) {
	return h(ctx, m)
}

func (handler) Decide(context.Context, id.UserID) (access.Decision, error) {
	return access.Decision{Role: access.Manager}, nil
}

func (handler) Descriptions(context.Context, id.UserID) ([]*cmdschema.EventContent, error) {
	return nil, nil
}

// echo answers each text with the same.
func echo(_ context.Context, m commands.Message) (commands.Finish, error) {
	return func(context.Context) (commands.Reply, error) {
		return commands.Reply{Texts: []commands.Text{said(m.Text)}}, nil
	}, nil
}

// life is a running bot.
type life struct {
	*testing.T
	server *homeserver
	db     *store.DB
	bot    *Bot
	seen   *recorder
	end    context.CancelFunc
	ended  chan error
	events int
}

// begin lets a bot live until the end of the test. Its goroutines have to end
// with it: synctest sees to that.
func begin(t *testing.T, server *homeserver, h handler, differences ...func(*Config)) *life {
	t.Helper()
	db, err := store.Open("sqlite:"+filepath.Join(t.TempDir(), "bot.db"), zerolog.Nop())
	if err == nil {
		err = db.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	server.known = make(map[string]memory)
	l := &life{T: t, server: server, db: db, seen: &recorder{}}
	cfg := Config{
		Homeserver: "http://homeserver", UserID: theBot, Displayname: "Bot", AppserviceID: "bot", ASToken: "secret",
		Store: db, Commands: h, HTTP: &http.Client{Transport: server}, Observer: l.seen, Log: zerolog.Nop(),
		Language: func() locale.Language { return catalog.Language("en") },
		Admins:   func() []string { return []string{"@admin:x"} },
	}
	for _, differ := range differences {
		differ(&cfg)
	}
	l.bot = New(cfg)
	l.run()
	t.Cleanup(func() {
		l.stop()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *life) run() {
	ctx, end := context.WithCancel(l.Context())
	l.end, l.ended = end, make(chan error, 1)
	go func() { l.ended <- l.bot.Run(ctx) }()
}

// again ends the bot and begins anew.
func (l *life) again() {
	l.Helper()
	l.stop()
	l.run()
}

// stop asks the bot to end, and waits for it.
func (l *life) stop() {
	l.Helper()
	l.end()
	if err := <-l.ended; err != nil {
		l.Errorf("the bot ended with %v", err)
	}
	l.ended <- nil // for whoever asks again
}

// hears lets somebody say something in a room.
func (l *life) hears(room id.RoomID, sender id.UserID, text string) id.EventID {
	l.Helper()
	l.events++
	e := appservice.Event{
		ID: fmt.Sprintf("$event%d", l.events), RoomID: room.String(), Sender: sender.String(), Type: "m.room.message",
		Raw: fmt.Appendf(nil, `{"content":{"msgtype":"m.text","body":%q}}`, text),
	}
	l.sees(e)
	return id.EventID(e.ID)
}

// sees pushes an event to the bot.
func (l *life) sees(e appservice.Event) {
	l.Helper()
	if err := l.db.Accept(l.Context(), "1", []appservice.Event{e}, nil); err != nil {
		l.Fatal(err)
	}
	l.bot.Wake(id.RoomID(e.RoomID))
}

// until waits for something, at most a week.
func (l *life) until(what string, holds func() bool) {
	l.Helper()
	for range 7 * 24 * 60 * 60 {
		if holds() {
			return
		}
		time.Sleep(time.Second)
	}
	l.Fatalf("it did not happen that %s", what)
}

// answered waits for answers to a room, which must then be these.
func (l *life) answered(room id.RoomID, want ...string) {
	l.Helper()
	l.until(fmt.Sprintf("%s got %d answers", room, len(want)), func() bool { return len(l.server.said(room)) >= len(want) })
	for i, got := range l.server.said(room) {
		if i >= len(want) || got != want[i] {
			l.Fatalf("in %s the bot said %q, want %q", room, l.server.said(room), want)
		}
	}
}
