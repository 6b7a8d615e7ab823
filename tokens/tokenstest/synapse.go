// Package tokenstest is for tests of what talks to a registration token API:
// a Synapse that has nothing else, and the contract that every kind of server
// has to keep.
package tokenstest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"matrix-registration-bot/tokens"
)

// Who may ask a Synapse: the bot's user with the as_token, or an admin with an
// access token.
const (
	BotUser    = "@registration-bot:example.com"
	ASToken    = "as-token-for-tests"
	AdminToken = "admin-token-for-tests"
)

// Synapse is the registration token admin API of Synapse in memory. It answers
// as Synapse 1.157 does, in the same words, but is stricter with the client:
// unknown fields are an error, and so is having the server draw a token.
// Its methods may be called while it is being asked.
type Synapse struct {
	Traffic
	URL string // set when it listens: see StartSynapse

	mu       sync.Mutex
	tokens   map[string]tokens.Token
	notAdmin bool
	accounts []account // oldest first
	metadata any       // of the MAS that keeps the accounts; nil = Synapse itself does
}

// NewSynapse returns a server without tokens that doesn't listen: use it as an
// http.Handler.
func NewSynapse() *Synapse { return &Synapse{tokens: map[string]tokens.Token{}} }

// StartSynapse returns a server that listens on the loopback until the test ends.
func StartSynapse(t testing.TB) *Synapse {
	t.Helper()
	s := NewSynapse()
	s.URL = start(t, s)
	return s
}

// Config is how the bot reaches it with its as_token.
func (s *Synapse) Config() tokens.Config {
	return tokens.Config{
		Kind:      tokens.KindSynapse,
		BaseURL:   s.URL,
		Token:     ASToken,
		UserID:    BotUser,
		UserAgent: "tokenstest",
	}
}

// Tokens returns what it holds, by text.
func (s *Synapse) Tokens() []tokens.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]tokens.Token, 0, len(s.tokens))
	for _, token := range s.tokens {
		list = append(list, token)
	}
	slices.SortFunc(list, func(a, b tokens.Token) int { return strings.Compare(a.Text, b.Text) })
	return list
}

// Put adds or replaces a token, past every check: as if it had been made
// elsewhere, used, or expired.
func (s *Synapse) Put(token tokens.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token.Text] = token
}

// SetAdmin makes the bot's user a server admin, as it is at first, or takes that away.
func (s *Synapse) SetAdmin(admin bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notAdmin = !admin
}

// Delegate leaves the accounts to a MAS with this metadata, as
// matrix_authentication_service in homeserver.yaml does; nil takes them back.
func (s *Synapse) Delegate(metadata any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metadata = metadata
}

// ServeHTTP answers a request, or does what a fault wants.
func (s *Synapse) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.answer) }

func (s *Synapse) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.metadata != nil && r.Method == http.MethodGet && r.URL.Path == "/_matrix/client/v1/auth_metadata" {
		write(w, http.StatusOK, s.metadata)
		return
	}
	if s.metadata == nil && r.Method == http.MethodGet && r.URL.Path == "/_synapse/admin/v3/users" {
		if s.authorized(w, r) {
			s.users(w, r)
		}
		return
	}
	if user, one := strings.CutPrefix(r.URL.Path, "/_synapse/admin/v2/users/"); s.metadata == nil && r.Method == http.MethodGet && one {
		if s.authorized(w, r) {
			s.user(w, user)
		}
		return
	}
	text, handle, known := route(r, "/_synapse/admin/v1/registration_tokens", endpoints{
		list: s.list, create: s.create, get: s.get, update: s.update, remove: s.remove,
	})
	switch {
	case !known || s.metadata != nil:
		refuse(w, http.StatusNotFound, "M_UNRECOGNIZED", "Unrecognized request")
	case handle == nil:
		refuse(w, http.StatusMethodNotAllowed, "M_UNRECOGNIZED", "Unrecognized request")
	case s.authorized(w, r):
		handle(w, r, text)
	}
}

func (s *Synapse) authorized(w http.ResponseWriter, r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	user := r.URL.Query().Get("user_id")
	switch {
	case !ok:
		refuse(w, http.StatusUnauthorized, "M_MISSING_TOKEN", "Missing access token")
	case token != ASToken && token != AdminToken:
		refuse(w, http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
	case token == ASToken && user != "" && user != BotUser:
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", fmt.Sprintf("Application service cannot masquerade as this user (%s).", user))
	case token == ASToken && (user == "" || s.notAdmin):
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "You are not a server admin")
	default:
		return true
	}
	return false
}

func (s *Synapse) list(w http.ResponseWriter, _ *http.Request, _ string) {
	list := make([]wireToken, 0, len(s.tokens))
	for _, token := range s.tokens { // in no order, as promised
		list = append(list, wire(token))
	}
	write(w, http.StatusOK, map[string]any{"registration_tokens": list})
}

func (s *Synapse) get(w http.ResponseWriter, _ *http.Request, text string) {
	token, ok := s.tokens[text]
	if !ok {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "No such registration token: "+text)
		return
	}
	write(w, http.StatusOK, wire(token))
}

func (s *Synapse) remove(w http.ResponseWriter, _ *http.Request, text string) {
	if _, ok := s.tokens[text]; !ok {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "No such registration token: "+text)
		return
	}
	delete(s.tokens, text)
	write(w, http.StatusOK, struct{}{})
}

func (s *Synapse) create(w http.ResponseWriter, r *http.Request, _ string) {
	fields, errcode, wrong := readFields(r.Body, "token", "uses_allowed", "expiry_time")
	if wrong != "" {
		refuse(w, http.StatusBadRequest, errcode, wrong)
		return
	}
	value, given := fields["token"]
	if !given {
		refuse(w, http.StatusBadRequest, "M_MISSING_PARAM", "tokenstest: clients draw their tokens themselves")
		return
	}
	text, ok := value.(string)
	switch length := utf8.RuneCountInString(text); {
	case !ok:
		wrong = "token must be a string"
	case length == 0, length > 64:
		wrong = "token must not be empty and must not be longer than 64 characters"
	case strings.ContainsFunc(text, notAllowed):
		wrong = "token must consist only of characters matched by the regex [A-Za-z0-9-_]"
	}
	token := tokens.Token{Text: text}
	if wrong == "" {
		wrong = setLimits(&token, fields)
	}
	if _, taken := s.tokens[text]; wrong == "" && taken {
		wrong = "Token already exists: " + text
	}
	if wrong != "" {
		refuse(w, http.StatusBadRequest, "M_INVALID_PARAM", wrong)
		return
	}
	s.tokens[text] = token
	write(w, http.StatusOK, wire(token))
}

func (s *Synapse) update(w http.ResponseWriter, r *http.Request, text string) {
	fields, errcode, wrong := readFields(r.Body, "uses_allowed", "expiry_time")
	if wrong != "" {
		refuse(w, http.StatusBadRequest, errcode, wrong)
		return
	}
	token, ok := s.tokens[text]
	if wrong := setLimits(&token, fields); wrong != "" {
		refuse(w, http.StatusBadRequest, "M_INVALID_PARAM", wrong)
		return
	}
	if !ok {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "No such registration token: "+text)
		return
	}
	s.tokens[text] = token
	write(w, http.StatusOK, wire(token))
}

// readFields reads a body of JSON that may have these fields; wrong is empty
// if nothing is wrong with it.
func readFields(body io.Reader, known ...string) (fields map[string]any, errcode, wrong string) {
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	var content any
	if decoder.Decode(&content) != nil || decoder.More() {
		return nil, "M_NOT_JSON", "Content not JSON."
	}
	fields, ok := content.(map[string]any)
	if !ok {
		return nil, "M_BAD_JSON", "Content must be a JSON object."
	}
	for name := range fields {
		if !slices.Contains(known, name) {
			return nil, "M_BAD_JSON", "tokenstest: unknown field " + name
		}
	}
	return fields, "", ""
}

// setLimits gives a token the uses and the expiry that the fields name, and
// says what is wrong with them.
func setLimits(token *tokens.Token, fields map[string]any) (wrong string) {
	uses, ok := integer(fields, "uses_allowed")
	if !ok || (uses != nil && *uses < 0) {
		return "uses_allowed must be a non-negative integer or null"
	}
	expiry, ok := integer(fields, "expiry_time")
	if !ok {
		return "expiry_time must be an integer or null"
	}
	if expiry != nil && time.UnixMilli(int64(*expiry)).Before(time.Now()) {
		return "expiry_time must not be in the past"
	}
	if _, given := fields["uses_allowed"]; given {
		token.Uses = uses
	}
	if _, given := fields["expiry_time"]; given {
		token.Expires = nil
		if expiry != nil {
			token.Expires = new(time.UnixMilli(int64(*expiry)).UTC())
		}
	}
	return ""
}

func notAllowed(r rune) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-"
	return !strings.ContainsRune(allowed, r)
}

// integer returns a field that is an integer, or nil if it is absent or null.
// As for Python, true and 1.0 are no integers.
func integer(fields map[string]any, name string) (*int, bool) {
	value := fields[name]
	if value == nil {
		return nil, true
	}
	number, ok := value.(json.Number)
	if !ok {
		return nil, false
	}
	n, err := strconv.Atoi(number.String())
	return &n, err == nil
}

// wireToken is the token object of the API.
type wireToken struct {
	Token       string `json:"token"`
	UsesAllowed *int   `json:"uses_allowed"`
	Pending     int    `json:"pending"`
	Completed   int    `json:"completed"`
	ExpiryTime  *int64 `json:"expiry_time"`
}

func wire(token tokens.Token) wireToken {
	onWire := wireToken{Token: token.Text, UsesAllowed: token.Uses, Pending: token.Pending, Completed: token.Completed}
	if token.Expires != nil {
		expiry := token.Expires.UnixMilli()
		onWire.ExpiryTime = &expiry
	}
	return onWire
}

func refuse(w http.ResponseWriter, status int, errcode, words string) {
	write(w, status, map[string]any{"errcode": errcode, "error": words})
}

func write(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // a client that is gone doesn't matter
}
