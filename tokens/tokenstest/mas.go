package tokenstest

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

// The bot's client in the configuration of MAS. The secret has characters that
// must not be encoded in HTTP Basic.
const (
	MASClientID     = "01J44RKQYM4G3TNVANTMTDYTX6"
	MASClientSecret = "p+w/x%2Fy:z&ü="
	// MASPersonalToken is a personal access token with the scope urn:mas:admin.
	MASPersonalToken = "mpt_for_tests"
)

// MAS is a Matrix Authentication Service in memory with a homeserver that has
// left its accounts to it. It answers as MAS 1.22 does, but is stricter with
// the client: unknown fields and parameters are errors. Whatever is said on its
// admin API fails the test if MAS's own OpenAPI document does not allow it.
// Its methods may be called while it is being asked.
type MAS struct {
	Homeserver *Synapse
	Public     *Listener // discovery and OAuth, and the admin API if it was not moved
	Internal   *Listener // health, and the admin API if it was moved

	t       testing.TB
	options MASOptions
	odd     bool

	mu       sync.Mutex
	ulids    int
	tokens   []*masToken // oldest first
	users    []*masUser
	sessions []*masSession
	refused  bool // the client is not in admin_clients
	signUp   tokens.SignUp
	moved    bool // adminapi is on the internal listener
}

// MASOptions are a part of the configuration of MAS.
type MASOptions struct {
	Prefix     string        // of all paths: "/auth"
	AuthMethod string        // "client_secret_basic" if empty, or "client_secret_post"
	Lifetime   time.Duration // of access tokens; 0 is 5 minutes
	Issuer     string        // set apart from the address; MAS does not answer there
}

// Listener is one of the listeners of MAS.
type Listener struct {
	Traffic
	URL    string
	answer http.HandlerFunc
}

// ServeHTTP answers a request, or does what a fault wants.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.serve(w, r, l.answer) }

// NewMAS returns servers that don't listen: use the MAS as an http.Handler,
// which tells them apart by their host names.
func NewMAS(t testing.TB, options MASOptions) *MAS {
	t.Helper()
	s := &MAS{t: t, options: options, Homeserver: NewSynapse(), signUp: tokens.SignUp{Open: true, WantsTokens: true}}
	s.options.AuthMethod = cmp.Or(options.AuthMethod, "client_secret_basic")
	s.options.Lifetime = cmp.Or(options.Lifetime, 5*time.Minute)
	s.Public = &Listener{answer: s.answerPublic}
	s.Internal = &Listener{answer: s.answerInternal}
	s.at("http://homeserver.test", "http://mas.test", "http://internal.test")
	return s
}

// StartMAS returns servers that listen on the loopback until the test ends.
func StartMAS(t testing.TB, options MASOptions) *MAS {
	t.Helper()
	s := NewMAS(t, options)
	s.at(start(t, s.Homeserver), start(t, s.Public), start(t, s.Internal))
	return s
}

func (s *MAS) at(homeserver, public, internal string) {
	s.Homeserver.URL, s.Public.URL, s.Internal.URL = homeserver, public, internal
	s.Homeserver.Delegate(s.Metadata())
}

// ServeHTTP asks the server that has the host name.
func (s *MAS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Host {
	case "homeserver.test":
		s.Homeserver.ServeHTTP(w, r)
	case "mas.test":
		s.Public.ServeHTTP(w, r)
	default:
		s.Internal.ServeHTTP(w, r)
	}
}

// Config is how the bot reaches it.
func (s *MAS) Config() tokens.Config {
	return tokens.Config{
		Kind:         tokens.KindMAS,
		Homeserver:   s.Homeserver.URL,
		ClientID:     MASClientID,
		ClientSecret: MASClientSecret,
		UserAgent:    "tokenstest",
	}
}

// Metadata is what the homeserver and MAS say of where things are.
func (s *MAS) Metadata() map[string]any {
	base := s.Public.URL + s.options.Prefix + "/"
	return map[string]any{
		"issuer":                                cmp.Or(s.options.Issuer, base),
		"authorization_endpoint":                base + "authorize",
		"token_endpoint":                        base + "oauth2/token",
		"revocation_endpoint":                   base + "oauth2/revoke",
		"registration_endpoint":                 base + "oauth2/registration",
		"account_management_uri":                base + "account/",
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
	}
}

// AllowOddRequests lets a test ask what no client should: requests are no
// longer checked against the document, only answers.
func (s *MAS) AllowOddRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.odd = true
}

// SetSignUp says whether people can make accounts with a password, and whether
// they need a token for it; at first both is so.
func (s *MAS) SetSignUp(how tokens.SignUp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signUp = how
}

// SetAdminClient puts the client into policy.data.admin_clients, where it is at
// first, or takes it out.
func (s *MAS) SetAdminClient(admin bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = !admin
}

// MoveAdminAPI leaves adminapi to the internal listener.
func (s *MAS) MoveAdminAPI() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved = true
}

// EndSessions makes every access token so far invalid.
func (s *MAS) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.sessions {
		session.finished = true
	}
}

// Sessions counts the access tokens so far, and those whose sessions were never
// finished: MAS keeps those for ever.
func (s *MAS) Sessions() (all, unfinished int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.sessions {
		if !session.finished {
			unfinished++
		}
	}
	return len(s.sessions), unfinished
}

// Put adds or replaces a token, past every check.
func (s *MAS) Put(token tokens.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	put := s.find(token.Text)
	if put == nil {
		put = &masToken{id: s.newULID(now()), text: token.Text, created: now()}
		s.tokens = append(s.tokens, put)
	}
	put.uses, put.used, put.expires, put.revoked = token.Uses, token.Completed, token.Expires, nil
	if token.Revoked {
		put.revoked = new(now())
	}
}

// Tokens returns what it holds, by text.
func (s *MAS) Tokens() []tokens.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]tokens.Token, 0, len(s.tokens))
	for _, t := range s.tokens {
		list = append(list, tokens.Token{Text: t.text, Uses: t.uses, Completed: t.used, Expires: t.expires, Revoked: t.revoked != nil})
	}
	slices.SortFunc(list, func(a, b tokens.Token) int { return strings.Compare(a.Text, b.Text) })
	return list
}

// Register lets somebody register with a token, or without if the text is
// empty, as an admin can.
func (s *MAS) Register(username, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	if n := len(s.users); n > 0 && !at.After(s.users[n-1].created) {
		at = s.users[n-1].created.Add(time.Millisecond)
	}
	if token := s.find(text); token != nil {
		token.used++
		token.lastUsed = new(at)
		at = at.Add(500 * time.Microsecond)
	}
	s.users = append(s.users, &masUser{id: s.newULID(at), name: username, created: at})
}

// NewTokenID gives a token another id, as if the database had been made anew.
func (s *MAS) NewTokenID(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(text).id = s.newULID(now())
	slices.SortFunc(s.tokens, func(a, b *masToken) int { return strings.Compare(a.id, b.id) })
}

type masToken struct {
	id, text                   string
	uses                       *int
	used                       int
	created                    time.Time
	lastUsed, expires, revoked *time.Time
}

type masUser struct {
	id, name string
	created  time.Time
}

type masSession struct {
	token    string
	admin    bool // has the scope urn:mas:admin
	ends     time.Time
	finished bool
}

func (s *MAS) find(text string) *masToken {
	for _, token := range s.tokens {
		if token.text == text {
			return token
		}
	}
	return nil
}

// now is the time as PostgreSQL keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// newULID returns an id of that time. Of the same millisecond the later is greater.
func (s *MAS) newULID(at time.Time) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	s.ulids++
	id := make([]byte, 26)
	for _, part := range []struct {
		n        int64
		from, to int
	}{{at.UnixMilli(), 0, 10}, {int64(s.ulids), 10, 26}} {
		for i, n := part.to-1, part.n; i >= part.from; i, n = i-1, n/32 {
			id[i] = alphabet[n%32]
		}
	}
	return string(id)
}

// answerPublic serves discovery, OAuth, and the admin API if it was not moved.
func (s *MAS) answerPublic(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), s.options.Prefix)
	switch {
	case ok && path == "/.well-known/openid-configuration" && r.Method == http.MethodGet:
		write(w, http.StatusOK, s.Metadata())
	case ok && path == "/oauth2/token" && r.Method == http.MethodPost:
		s.grant(w, r)
	case ok && path == "/oauth2/revoke" && r.Method == http.MethodPost:
		s.revokeSession(w, r)
	case ok && !s.moved && strings.HasPrefix(path, "/api/"):
		s.answerAdmin(w, r, path)
	default:
		Page(http.StatusNotFound)(w, r, nil)
	}
}

// answerInternal serves health, and the admin API if it was moved.
func (s *MAS) answerInternal(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch path := r.URL.EscapedPath(); {
	case path == "/health" && r.Method == http.MethodGet:
		Answer(http.StatusOK, "text/plain; charset=utf-8", "ok")(w, r, nil)
	case s.moved && strings.HasPrefix(path, "/api/"):
		s.answerAdmin(w, r, path)
	default:
		Page(http.StatusNotFound)(w, r, nil)
	}
}

// answerAdmin asks the admin API, and checks request and answer.
func (s *MAS) answerAdmin(w http.ResponseWriter, r *http.Request, path string) {
	checked := check(s.t, r, path, s.odd)
	answer := httptest.NewRecorder()
	s.admin(answer, r, path)
	checked(answer)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // a client that is gone doesn't matter
}
