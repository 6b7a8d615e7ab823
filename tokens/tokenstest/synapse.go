// Package tokenstest is for tests of what talks to a registration token API:
// a Synapse that has nothing else, and the contract that every kind of server
// has to keep.
package tokenstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	URL string // set when it listens: see StartSynapse

	mu       sync.Mutex
	tokens   map[string]tokens.Token
	notAdmin bool
	next     []Fault
	always   Fault
	requests []Request
}

// Request is a request as it came over the wire.
type Request struct {
	Method string
	URI    string // path and query, percent-encoded as they were sent
	Header http.Header
	Body   string
}

// NewSynapse returns a server without tokens that doesn't listen: use it as an
// http.Handler.
func NewSynapse() *Synapse { return &Synapse{tokens: map[string]tokens.Token{}} }

// StartSynapse returns a server that listens on the loopback until the test ends.
func StartSynapse(t testing.TB) *Synapse {
	t.Helper()
	s := NewSynapse()
	listening := httptest.NewServer(s)
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
	})
	s.URL = listening.URL
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

// Next makes the next requests go wrong, one fault each.
func (s *Synapse) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, faults...)
}

// Always makes every request go wrong that has no fault from Next; nil ends it.
func (s *Synapse) Always(fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = fault
}

// Requests returns all requests so far, also those that went wrong.
func (s *Synapse) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers a request, or does what a fault wants.
func (s *Synapse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if fault := s.note(r, body); fault != nil {
		fault(w, r, http.HandlerFunc(s.answer))
		return
	}
	s.answer(w, r)
}

func (s *Synapse) note(r *http.Request, body []byte) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body)})
	if len(s.next) == 0 {
		return s.always
	}
	fault := s.next[0]
	s.next = s.next[1:]
	return fault
}

// answer routes as Synapse does: by the path as it was sent, decoding the token
// afterwards, and with "new" reserved for POST.
func (s *Synapse) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/_synapse/admin/v1/registration_tokens")
	segment, inList := strings.CutPrefix(path, "/")
	text, err := url.PathUnescape(segment)
	if !ok || err != nil || strings.Contains(segment, "/") || (path != "" && !inList) {
		refuse(w, http.StatusNotFound, "M_UNRECOGNIZED", "Unrecognized request")
		return
	}
	var handle func()
	switch {
	case path == "" && r.Method == http.MethodGet:
		handle = func() { s.list(w) }
	case segment == "new" && r.Method == http.MethodPost:
		handle = func() { s.create(w, r) }
	case inList && segment != "new" && r.Method == http.MethodGet:
		handle = func() { s.get(w, text) }
	case inList && segment != "new" && r.Method == http.MethodDelete:
		handle = func() { s.remove(w, text) }
	default:
		refuse(w, http.StatusMethodNotAllowed, "M_UNRECOGNIZED", "Unrecognized request")
		return
	}
	if s.authorized(w, r) {
		handle()
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

func (s *Synapse) list(w http.ResponseWriter) {
	list := make([]wireToken, 0, len(s.tokens))
	for _, token := range s.tokens { // in no order, as promised
		list = append(list, wire(token))
	}
	write(w, http.StatusOK, map[string]any{"registration_tokens": list})
}

func (s *Synapse) get(w http.ResponseWriter, text string) {
	token, ok := s.tokens[text]
	if !ok {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "No such registration token: "+text)
		return
	}
	write(w, http.StatusOK, wire(token))
}

func (s *Synapse) remove(w http.ResponseWriter, text string) {
	if _, ok := s.tokens[text]; !ok {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "No such registration token: "+text)
		return
	}
	delete(s.tokens, text)
	write(w, http.StatusOK, struct{}{})
}

func (s *Synapse) create(w http.ResponseWriter, r *http.Request) {
	token, errcode, wrong := readSpec(r.Body)
	if wrong != "" {
		refuse(w, http.StatusBadRequest, errcode, wrong)
		return
	}
	if _, taken := s.tokens[token.Text]; taken {
		refuse(w, http.StatusBadRequest, "M_INVALID_PARAM", "Token already exists: "+token.Text)
		return
	}
	s.tokens[token.Text] = token
	write(w, http.StatusOK, wire(token))
}

// readSpec reads the body of POST .../new; wrong is empty if nothing is wrong with it.
func readSpec(body io.Reader) (token tokens.Token, errcode, wrong string) {
	invalid := func(wrong string) (tokens.Token, string, string) {
		return tokens.Token{}, "M_INVALID_PARAM", wrong
	}
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	var content any
	if decoder.Decode(&content) != nil || decoder.More() {
		return token, "M_NOT_JSON", "Content not JSON."
	}
	fields, ok := content.(map[string]any)
	if !ok {
		return token, "M_BAD_JSON", "Content must be a JSON object."
	}
	for name := range fields {
		if !slices.Contains([]string{"token", "uses_allowed", "expiry_time"}, name) {
			return token, "M_BAD_JSON", "tokenstest: unknown field " + name
		}
	}

	value, given := fields["token"]
	if !given {
		return token, "M_MISSING_PARAM", "tokenstest: clients draw their tokens themselves"
	}
	token.Text, ok = value.(string)
	if !ok {
		return invalid("token must be a string")
	}
	if length := utf8.RuneCountInString(token.Text); length == 0 || length > 64 {
		return invalid("token must not be empty and must not be longer than 64 characters")
	}
	if strings.ContainsFunc(token.Text, notAllowed) {
		return invalid("token must consist only of characters matched by the regex [A-Za-z0-9-_]")
	}

	uses, ok := integer(fields, "uses_allowed")
	if !ok || (uses != nil && *uses < 0) {
		return invalid("uses_allowed must be a non-negative integer or null")
	}
	token.Uses = uses
	expiry, ok := integer(fields, "expiry_time")
	if !ok {
		return invalid("expiry_time must be an integer or null")
	}
	if expiry != nil {
		expires := time.UnixMilli(int64(*expiry)).UTC()
		if expires.Before(time.Now()) {
			return invalid("expiry_time must not be in the past")
		}
		token.Expires = &expires
	}
	return token, "", ""
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
