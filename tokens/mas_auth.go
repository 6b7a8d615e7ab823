package tokens

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The ways in which a client of MAS can send its secret: `client_auth_method`
// of its entry in MAS's config. MAS takes only that one.
const (
	AuthAuto  = "auto"  // tries basic, then post
	AuthBasic = "basic" // client_secret_basic
	AuthPost  = "post"  // client_secret_post
)

// masAuth lets the bot into MAS's admin API. With client credentials it gets an
// access token when it is needed (RFC 6749 section 4.4). MAS keeps a row for
// ever for every one that was not given back before it expired, so each is
// given back, also when nobody asks for anything any more.
type masAuth struct {
	client     client // without address and credentials
	homeserver string // address of the client-server API
	issuer     string // address of MAS; empty = the homeserver says it
	base       string // address of the admin API; empty = the issuer's

	token      string // personal access token, used instead of the rest
	id, secret string
	methods    []string // those that can be right

	turn    chan struct{} // held while a session begins
	mu      sync.Mutex    // for the rest
	current *masSession
	page    string // where people make accounts; empty = not known yet
}

// masSession asks the admin API with one access token.
type masSession struct {
	client *client
	token  string
	method string // of the client that got the token
	revoke string // address where it is given back
	renew  time.Time
	end    *time.Timer
}

// masPlace is where things are (RFC 8414, of which the client-server API's
// "GET /auth_metadata" is a part).
type masPlace struct {
	Issuer             string `json:"issuer"`
	TokenEndpoint      string `json:"token_endpoint"`
	RevocationEndpoint string `json:"revocation_endpoint"`
	AccountManagement  string `json:"account_management_uri"` // beside the pages for people

	page string // where people make accounts
}

// masGrant is an access token (RFC 6749 section 5.1).
type masGrant struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"` // seconds
}

// session returns what to ask with, and begins it if need be.
func (a *masAuth) session(ctx context.Context) (*masSession, error) {
	if session := a.usable(); session != nil {
		return session, nil
	}
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, &Error{Kind: ErrUnreachable, Cause: ctx.Err()}
	}
	if session := a.usable(); session != nil {
		return session, nil
	}
	session, err := a.begin(ctx)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current = session
	return session, nil
}

// signUpPage returns where people make accounts; empty while it is not known.
func (a *masAuth) signUpPage() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.page
}

func (a *masAuth) usable() *masSession {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != nil && (a.current.renew.IsZero() || time.Now().Before(a.current.renew)) {
		return a.current
	}
	return nil
}

// forget makes sure that the next session is a new one. This one's token is
// still given back.
func (a *masAuth) forget(session *masSession) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == session {
		a.current = nil
	}
}

func (a *masAuth) begin(ctx context.Context) (*masSession, error) {
	base := a.base
	var place masPlace
	if base == "" || a.token == "" {
		var err error
		if place, err = a.discover(ctx); err != nil {
			return nil, err
		}
		if base == "" {
			base = place.Issuer
		}
		a.mu.Lock()
		a.page = place.page
		a.mu.Unlock()
	}
	admin := a.client.at(base, masKind)
	if a.token != "" {
		return &masSession{client: admin.bearer(a.token)}, nil
	}
	asked := time.Now()
	grant, method, err := a.grant(ctx, place.TokenEndpoint)
	if err != nil {
		return nil, err
	}
	session := &masSession{
		client: admin.bearer(grant.AccessToken), token: grant.AccessToken, method: method, revoke: place.RevocationEndpoint,
	}
	if grant.ExpiresIn > 0 {
		lives := time.Duration(grant.ExpiresIn) * time.Second
		session.renew = asked.Add(lives - min(30*time.Second, lives/4))
		session.end = time.AfterFunc(time.Until(session.renew), func() {
			_ = a.giveBack(context.Background(), session) // one row more in MAS
		})
	}
	return session, nil
}

// discover finds MAS through the homeserver, unless the config names it.
func (a *masAuth) discover(ctx context.Context) (masPlace, error) {
	const op = "find MAS"
	issuer := a.issuer
	var said masPlace
	if issuer == "" {
		var err error
		said, err = do[masPlace](ctx, a.client.at(a.homeserver, plainKind), authMetadata(op))
		if err != nil {
			return masPlace{}, err // ErrNoAPI: the homeserver keeps the accounts itself
		}
		issuer = said.Issuer
	}
	if !isAddress(issuer) {
		return masPlace{}, &Error{Kind: ErrNoIssuer, Op: op, Cause: errors.New("the issuer is not a web address")}
	}
	place, err := do[masPlace](ctx, a.client.at(issuer, plainKind), call{
		op: op, method: http.MethodGet, path: "/.well-known/openid-configuration",
	})
	if errors.Is(err, ErrNoAPI) && isAddress(said.TokenEndpoint) {
		place, err = said, nil // MAS does not answer at an issuer that was set apart from its address
	}
	if err == nil && !isAddress(place.TokenEndpoint) {
		err = &Error{Kind: ErrNoIssuer, Op: op, Cause: errors.New("the answer names no token_endpoint")}
	}
	if err != nil {
		return masPlace{}, recast(err, func(e *Error) {
			if e.Kind == ErrNoAPI {
				e.Kind = ErrNoIssuer
			}
		})
	}
	place.page = place.signUpPage(issuer)
	place.Issuer = issuer
	return place, nil
}

// signUpPage is where people make accounts: beside the page where they manage
// them, for the issuer can be set apart from MAS's address, and the bot may know
// a nearer one than people.
func (p masPlace) signUpPage(issuer string) string {
	page, found := strings.CutSuffix(strings.TrimRight(p.AccountManagement, "/"), "/account")
	if !found || !isAddress(page) {
		page = strings.TrimRight(cmp.Or(p.Issuer, issuer), "/")
	}
	return page + "/register"
}

func authMetadata(op string) call {
	return call{op: op, method: http.MethodGet, path: "/_matrix/client/v1/auth_metadata"}
}

// grant gets an access token and says by which method.
func (a *masAuth) grant(ctx context.Context, address string) (grant masGrant, method string, err error) {
	const op = "get an access token"
	for _, method = range a.methods {
		client, form := a.asClient(address, method)
		form.Set("grant_type", "client_credentials")
		form.Set("scope", "urn:mas:admin")
		grant, err = do[masGrant](ctx, client, call{op: op, method: http.MethodPost, form: form})
		if !errors.Is(err, ErrBadClient) {
			break
		}
	}
	if err == nil && grant.AccessToken == "" {
		err = &Error{Kind: ErrUnknownOutcome, Op: op, Status: http.StatusOK, Cause: errors.New("there is no access token in the answer")}
	}
	return grant, method, recast(err, func(e *Error) {
		if e.Kind == ErrUnknownOutcome && e.Status == http.StatusOK {
			e.Kind = ErrNoIssuer // whoever is happy about this is not MAS
		}
	})
}

// asClient asks an address of MAS with the client's credentials, which are
// partly in the form. Against RFC 6749 section 2.3.1 MAS takes the secret in
// HTTP Basic as it is.
func (a *masAuth) asClient(address, method string) (*client, url.Values) {
	c, form := a.client.at(address, oauthKind), url.Values{}
	c.secrets = []string{a.secret, base64.StdEncoding.EncodeToString([]byte(a.id + ":" + a.secret))}
	if method == AuthBasic {
		c.authorize = func(r *http.Request) { r.SetBasicAuth(a.id, a.secret) }
	} else {
		form.Set("client_id", a.id)
		form.Set("client_secret", a.secret)
	}
	return c, form
}

// giveBack revokes the access token of a session (RFC 7009), which ends it.
func (a *masAuth) giveBack(ctx context.Context, session *masSession) error {
	a.forget(session)
	if session.revoke == "" {
		return nil
	}
	client, form := a.asClient(session.revoke, session.method)
	client.secrets = append(client.secrets, session.token)
	form.Set("token", session.token)
	form.Set("token_type_hint", "access_token")
	_, err := do[struct{}](ctx, client, call{op: "give the access token back", method: http.MethodPost, form: form, mute: true})
	return err
}

func (a *masAuth) close(ctx context.Context) error {
	a.mu.Lock()
	session := a.current
	a.mu.Unlock()
	if session == nil {
		return nil
	}
	if session.end != nil {
		session.end.Stop()
	}
	return a.giveBack(ctx, session)
}

// plainKind is for answers of which nothing but success is of interest.
func plainKind(call, int, refusalBody) error { return nil }

// oauthKind reads an answer of MAS's token endpoint (RFC 6749 section 5.2).
func oauthKind(_ call, status int, said refusalBody) error {
	switch {
	case status == http.StatusUnauthorized:
		return ErrBadClient
	case status == http.StatusForbidden && said.Error == "invalid_scope":
		return ErrNotAdminClient
	case status < 400, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return ErrNoIssuer
	}
	return nil
}

// isAddress tells whether requests can go there.
func isAddress(text string) bool {
	address, err := url.Parse(text)
	return err == nil && address.Host != "" && (address.Scheme == "http" || address.Scheme == "https") &&
		address.User == nil && address.RawQuery == "" && !address.ForceQuery && address.Fragment == ""
}

// at asks another address.
func (c client) at(base string, kindOf func(call, int, refusalBody) error) *client {
	c.base, c.kindOf = strings.TrimRight(base, "/"), kindOf
	return &c
}
