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
// person each. Those whose ids begin with SealedRoom are encrypted.
type Homeserver struct {
	URL string

	bot     string // user id
	person  string // user id, the same in every room
	server  *httptest.Server
	tokens  *tokenstest.Synapse
	post    *Post
	answers chan Answer

	mu   sync.Mutex
	sent int
}

// SealedRoom is how the ids of encrypted rooms begin. Each session there ends
// after SealedMessages.
const (
	SealedRoom     = "!sealed"
	SealedMessages = 10
)

// Answer is a message of the bot to one of a person.
type Answer struct {
	To        string // event id
	Encrypted bool
}

// Open makes a homeserver with a bot and a person.
func Open(bot, person string) *Homeserver {
	h := &Homeserver{bot: bot, person: person, tokens: tokenstest.NewSynapse(), post: NewPost(), answers: make(chan Answer, 1000)}
	h.server = httptest.NewServer(http.HandlerFunc(h.serve))
	h.URL = h.server.URL
	return h
}

// Close ends the homeserver.
func (h *Homeserver) Close() {
	h.server.CloseClientConnections()
	h.server.Close()
}

// Answers tells each answer of the bot.
func (h *Homeserver) Answers() <-chan Answer { return h.answers }

// Tokens returns how many registration tokens there are.
func (h *Homeserver) Tokens() int { return len(h.tokens.Tokens()) }

func (h *Homeserver) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_synapse/") {
		h.tokens.ServeHTTP(w, r)
		return
	}
	for _, part := range []string{"/keys/", "/sendToDevice/", "/sync"} {
		if strings.Contains(r.URL.Path, part) {
			h.post.ServeHTTP(w, r)
			return
		}
	}
	status, body := http.StatusOK, `{}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/whoami"):
		body = fmt.Sprintf(`{"device_id": %q}`, r.URL.Query().Get("device_id"))
	case strings.HasSuffix(r.URL.Path, "/register"):
		status, body = http.StatusBadRequest, `{"errcode": "M_USER_IN_USE", "error": "User ID already taken."}`
	case strings.HasSuffix(r.URL.Path, "/joined_rooms"):
		body = `{"joined_rooms": []}`
	case strings.HasSuffix(r.URL.Path, "/state"):
		body = `[` + member(h.bot) + `,` + member(h.person) + encryption(r.URL.Path) + `]`
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

// encryption is the state of a room that says so, if it is encrypted.
func encryption(path string) string {
	if !strings.Contains(path, "/"+SealedRoom) {
		return ""
	}
	return fmt.Sprintf(`, {"type": "m.room.encryption", "state_key": "",
		"content": {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": %d}}`, SealedMessages)
}

func (h *Homeserver) take(r *http.Request) string {
	var content event.MessageEventContent
	if err := json.NewDecoder(r.Body).Decode(&content); err == nil && content.RelatesTo.GetReplyTo() != "" {
		h.answers <- Answer{content.RelatesTo.GetReplyTo().String(), strings.Contains(r.URL.Path, "/m.room.encrypted/")}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent++
	return fmt.Sprintf(`{"event_id": "$sent%d"}`, h.sent)
}
