package tokenstest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

// Dendrite is the registration token admin API of Dendrite 0.15 in memory, in
// the same words. It differs from Synapse in paths, in errors, in what it says
// of an empty list and of deleting nothing, and it does not know as_tokens.
// Unlike the real one it refuses unknown fields.
type Dendrite struct {
	Traffic
	URL string

	shelf
	off   bool
	stuck bool
}

// StartDendrite returns a server that listens on the loopback until the test ends.
func StartDendrite(t testing.TB) *Dendrite {
	t.Helper()
	s := &Dendrite{shelf: shelf{tokens: map[string]tokens.Token{}}}
	s.URL = start(t, s)
	return s
}

// Config is how the bot reaches it with an admin's access token.
func (s *Dendrite) Config() tokens.Config {
	return tokens.Config{Kind: tokens.KindDendrite, BaseURL: s.URL, Token: AdminToken, UserAgent: "tokenstest"}
}

// RequireTokens is client_api.registration_requires_token, true at first:
// without it no token can be made.
func (s *Dendrite) RequireTokens(required bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.off = !required
}

// ForgetUpdates answers updates with 200 and changes nothing, as Dendrite does
// on SQLite when it was built with cgo.
func (s *Dendrite) ForgetUpdates() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.stuck = true
}

// ServeHTTP answers a request, or does what a fault wants.
func (s *Dendrite) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.answer) }

func (s *Dendrite) answer(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	text, handle, known := route(r, "/_dendrite/admin/registrationTokens", endpoints{
		list: s.list, create: s.create, get: s.get, update: s.update, remove: s.remove,
	})
	token, hasToken := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !known:
		refuse(w, http.StatusNotFound, "M_UNRECOGNIZED", "Unrecognized request")
	case handle == nil:
		refuse(w, http.StatusMethodNotAllowed, "M_UNRECOGNIZED", "Unrecognized request")
	case !hasToken:
		refuse(w, http.StatusUnauthorized, "M_MISSING_TOKEN", "missing access token")
	case token == ASToken:
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "This API can only be used by admin users.")
	case token != AdminToken:
		refuse(w, http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "Unknown token")
	default:
		handle(w, r, text)
	}
}

func (s *Dendrite) list(w http.ResponseWriter, _ *http.Request, _ string) {
	var list []wireToken // an empty one is null
	for _, token := range s.tokens {
		list = append(list, wire(token))
	}
	write(w, http.StatusOK, map[string]any{"registration_tokens": list})
}

func (s *Dendrite) get(w http.ResponseWriter, _ *http.Request, text string) {
	token, ok := s.tokens[text]
	if !ok {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "token: "+text+" not found")
		return
	}
	write(w, http.StatusOK, wire(token))
}

func (s *Dendrite) create(w http.ResponseWriter, r *http.Request, _ string) {
	if s.off {
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "Registration via tokens is not enabled on this homeserver")
		return
	}
	var request struct {
		Token string `json:"token"`
		dendriteLimits
	}
	if !readDendrite(w, r, &request) {
		return
	}
	token := tokens.Token{Text: request.Token}
	wrong := request.set(&token)
	switch {
	case token.Text == "":
		wrong = "tokenstest: clients draw their tokens themselves"
	case len(token.Text) > 64:
		wrong = "token must not be longer than 64"
	case strings.ContainsFunc(token.Text, func(r rune) bool { return r > 127 }): // so says its regular expression
		wrong = "token must consist only of characters matched by the regex [A-Za-z0-9-_]"
	}
	if wrong != "" {
		refuse(w, http.StatusBadRequest, "M_BAD_JSON", wrong)
		return
	}
	if _, taken := s.tokens[token.Text]; taken {
		write(w, http.StatusConflict, map[string]string{"error": "token: " + token.Text + " already exists"})
		return
	}
	s.tokens[token.Text] = token
	write(w, http.StatusOK, wire(token))
}

func (s *Dendrite) update(w http.ResponseWriter, r *http.Request, text string) {
	token, ok := s.tokens[text]
	var request dendriteLimits
	if ok {
		was := wire(token)
		request.ExpiryTime = was.ExpiryTime
		if token.Uses != nil {
			request.UsesAllowed = new(int32(*token.Uses))
		}
	}
	if !readDendrite(w, r, &request) {
		return
	}
	if wrong := request.set(&token); wrong != "" {
		refuse(w, http.StatusBadRequest, "M_BAD_JSON", wrong)
		return
	}
	if !ok {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "token: "+text+" not found")
		return
	}
	if s.stuck {
		token = s.tokens[text]
	}
	s.tokens[text] = token
	write(w, http.StatusOK, wire(token))
}

func (s *Dendrite) remove(w http.ResponseWriter, _ *http.Request, text string) {
	delete(s.tokens, text)
	write(w, http.StatusOK, struct{}{}) // whether there was one or not
}

// dendriteLimits are the fields that an update can change.
type dendriteLimits struct {
	UsesAllowed *int32 `json:"uses_allowed"`
	ExpiryTime  *int64 `json:"expiry_time"`
}

// set gives them to a token, and says what is wrong with them.
func (l dendriteLimits) set(token *tokens.Token) (wrong string) {
	if l.UsesAllowed != nil && *l.UsesAllowed < 0 {
		return "uses_allowed must be a non-negative integer or null"
	}
	if l.ExpiryTime != nil && time.UnixMilli(*l.ExpiryTime).Before(time.Now()) {
		return "expiry_time must not be in the past"
	}
	token.Uses, token.Expires = nil, nil
	if l.UsesAllowed != nil {
		token.Uses = new(int(*l.UsesAllowed))
	}
	if l.ExpiryTime != nil {
		token.Expires = new(time.UnixMilli(*l.ExpiryTime).UTC())
	}
	return ""
}

func readDendrite(w http.ResponseWriter, r *http.Request, request any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(request); err != nil {
		refuse(w, http.StatusBadRequest, "M_BAD_JSON", "Failed to decode request body: "+err.Error())
		return false
	}
	return true
}
