// Package standin is just enough of a homeserver for the whole program to live
// with, and so fast that the program's own work is what takes time. How a real
// homeserver behaves is for the end-to-end tests.
package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/tokens/tokenstest"
)

// AdminToken is what the bot needs as api.token.
const AdminToken = tokenstest.AdminToken

// Homeserver has registration tokens, and rooms in which the bot is with one
// person each. It has no encryption.
type Homeserver struct {
	URL string

	bot     string // user id
	person  string // user id, the same in every room
	server  *httptest.Server
	tokens  *tokenstest.Synapse
	answers chan string

	mu   sync.Mutex
	sent int
}

// Open makes a homeserver with a bot and a person.
func Open(bot, person string) *Homeserver {
	h := &Homeserver{bot: bot, person: person, tokens: tokenstest.NewSynapse(), answers: make(chan string, 1000)}
	h.server = httptest.NewServer(http.HandlerFunc(h.serve))
	h.URL = h.server.URL
	return h
}

// Close ends the homeserver.
func (h *Homeserver) Close() {
	h.server.CloseClientConnections()
	h.server.Close()
}

// Answers tells the event id of each message that the bot has answered, as often
// as it did.
func (h *Homeserver) Answers() <-chan string { return h.answers }

func (h *Homeserver) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_synapse/") {
		h.tokens.ServeHTTP(w, r)
		return
	}
	status, body := http.StatusOK, `{}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/register"):
		status, body = http.StatusBadRequest, `{"errcode": "M_USER_IN_USE", "error": "User ID already taken."}`
	case strings.HasSuffix(r.URL.Path, "/joined_rooms"):
		body = `{"joined_rooms": []}`
	case strings.HasSuffix(r.URL.Path, "/state"):
		body = `[` + member(h.bot) + `,` + member(h.person) + `]`
	case strings.Contains(r.URL.Path, "/send/"):
		body = h.take(r)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func member(user string) string {
	return fmt.Sprintf(`{"type": "m.room.member", "state_key": %q, "sender": %q, "content": {"membership": "join"}}`, user, user)
}

func (h *Homeserver) take(r *http.Request) string {
	var content event.MessageEventContent
	if err := json.NewDecoder(r.Body).Decode(&content); err == nil && content.RelatesTo.GetReplyTo() != "" {
		h.answers <- content.RelatesTo.GetReplyTo().String()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent++
	return fmt.Sprintf(`{"event_id": "$sent%d"}`, h.sent)
}
