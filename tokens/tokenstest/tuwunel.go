package tokenstest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

// Tuwunel is the registration token API of tuwunel in memory: Synapse's, with
// the differences of tuwunel 1.9. What is used up or expired is gone, nothing
// is ever pending, hardly anything is checked, and tokens of the server's
// config file can't be changed.
type Tuwunel struct {
	Traffic
	URL string

	shelf
	fixed []string // from the config file
}

// StartTuwunel returns a server that listens on the loopback until the test
// ends. The tokens named stand in its config file.
func StartTuwunel(t testing.TB, fixed ...string) *Tuwunel {
	t.Helper()
	s := &Tuwunel{shelf: shelf{tokens: map[string]tokens.Token{}}, fixed: fixed}
	s.URL = start(t, s)
	return s
}

// Config is how the bot reaches it with its as_token.
func (s *Tuwunel) Config() tokens.Config {
	return tokens.Config{Kind: tokens.KindSynapse, BaseURL: s.URL, Token: ASToken, UserID: BotUser, UserAgent: "tokenstest"}
}

// ServeHTTP answers a request, or does what a fault wants.
func (s *Tuwunel) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.answer) }

func (s *Tuwunel) answer(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	text, handle, known := route(r, "/_synapse/admin/v1/registration_tokens", endpoints{
		list: s.list, create: s.create, get: s.get, update: s.update, remove: s.remove,
	})
	token, hasToken := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !known:
		refuse(w, http.StatusNotFound, "M_UNRECOGNIZED", "Not Found")
	case handle == nil:
		refuse(w, http.StatusMethodNotAllowed, "M_UNRECOGNIZED", "Method Not Allowed")
	case !hasToken:
		refuse(w, http.StatusUnauthorized, "M_MISSING_TOKEN", "Missing access token.")
	case token != ASToken && token != AdminToken:
		refuse(w, http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "Unknown access token.")
	case token == ASToken && r.URL.Query().Get("user_id") != BotUser:
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "Only server administrators can use this endpoint")
	default:
		handle(w, r, text)
	}
}

func (s *Tuwunel) list(w http.ResponseWriter, _ *http.Request, _ string) {
	list := []wireToken{}
	for _, text := range s.fixed {
		list = append(list, wireToken{Token: text})
	}
	for text, token := range s.tokens {
		if token.State(time.Now()) != tokens.Valid {
			delete(s.tokens, text)
			continue
		}
		list = append(list, wire(token))
	}
	write(w, http.StatusOK, map[string]any{"registration_tokens": list})
}

// find returns a token that can be used; another one is gone from now on.
func (s *Tuwunel) find(w http.ResponseWriter, text string) (tokens.Token, bool) {
	token, ok := s.tokens[text]
	if !ok || token.State(time.Now()) != tokens.Valid {
		delete(s.tokens, text)
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "Registration token not found")
		return tokens.Token{}, false
	}
	return token, true
}

func (s *Tuwunel) get(w http.ResponseWriter, _ *http.Request, text string) {
	if slices.Contains(s.fixed, text) {
		write(w, http.StatusOK, wireToken{Token: text})
		return
	}
	if token, ok := s.find(w, text); ok {
		write(w, http.StatusOK, wire(token))
	}
}

func (s *Tuwunel) create(w http.ResponseWriter, r *http.Request, _ string) {
	var token tokens.Token
	if !readToken(w, r, &token) {
		return
	}
	if _, taken := s.tokens[token.Text]; taken {
		refuse(w, http.StatusBadRequest, "M_INVALID_PARAM", "Registration token already exists")
		return
	}
	s.tokens[token.Text] = token
	write(w, http.StatusOK, wire(token))
}

func (s *Tuwunel) update(w http.ResponseWriter, r *http.Request, text string) {
	if slices.Contains(s.fixed, text) {
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "Tokens set in the config file can't be updated")
		return
	}
	token, ok := s.find(w, text)
	if !ok || !readToken(w, r, &token) {
		return
	}
	s.tokens[text] = token
	write(w, http.StatusOK, wire(token))
}

func (s *Tuwunel) remove(w http.ResponseWriter, _ *http.Request, text string) {
	if slices.Contains(s.fixed, text) {
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "The token set in the config file cannot be revoked. Edit the config file to change it.")
		return
	}
	if _, ok := s.find(w, text); ok {
		delete(s.tokens, text)
		write(w, http.StatusOK, struct{}{})
	}
}

// readToken reads a body into a token. What it doesn't name stays as it is.
func readToken(w http.ResponseWriter, r *http.Request, token *tokens.Token) bool {
	body := wire(*token)
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, "M_BAD_JSON", err.Error())
		return false
	}
	token.Text, token.Uses, token.Expires = body.Token, body.UsesAllowed, nil
	if body.ExpiryTime != nil {
		token.Expires = new(time.UnixMilli(*body.ExpiryTime).UTC())
	}
	return true
}
