package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

func TestWhatMASSaysBecomesAnErrorOfOurs(t *testing.T) {
	title := func(status int, title string) tokenstest.Fault {
		return tokenstest.JSON(status, `{"errors":[{"title":"`+title+`"}]}`)
	}
	plain := func(status int, words string) tokenstest.Fault {
		return tokenstest.Answer(status, "text/plain; charset=utf-8", words)
	}
	for name, test := range map[string]struct {
		fault tokenstest.Fault
		want  error
	}{
		"an access token that has expired, again and again": {title(401, "Access token expired"), tokens.ErrBadCredentials},
		"an access token without the scope":                 {title(401, "Missing urn:mas:admin scope"), tokens.ErrBadCredentials},
		"a proxy that drops the access token":               {title(400, "Missing authorization header"), tokens.ErrRefused},
		"a listener without adminapi":                       {tokenstest.Page(404), tokens.ErrNoAdminAPI},
		"a proxy that forbids the path":                     {tokenstest.Page(403), tokens.ErrNoAdminAPI},
		"a proxy that sends elsewhere":                      {redirect, tokens.ErrNoAdminAPI},
		"a web page for everything":                         {tokenstest.Page(200), tokens.ErrNoAdminAPI},
		"JSON that is no list":                              {tokenstest.JSON(200, `{}`), tokens.ErrNoAdminAPI},
		"a method that isn't there":                         {tokenstest.Answer(405, "", ""), tokens.ErrNoAdminAPI},
		"a body that it can't read":                         {plain(400, "Failed to parse the request body as JSON"), tokens.ErrRefused},
		"a content type that it doesn't take":               {plain(415, "Expected request with `Content-Type: application/json`"), tokens.ErrRefused},
		"a value that it doesn't take":                      {plain(422, "Failed to deserialize the JSON body"), tokens.ErrRefused},
		"too much":                                          {plain(413, "length limit exceeded"), tokens.ErrRefused},
		"an error of its own":                               {title(500, "error returned from database"), tokens.ErrUnknownOutcome},
		"a proxy that lost it":                              {tokenstest.Page(502), tokens.ErrUnknownOutcome},
		"a cut connection":                                  {tokenstest.Cut(), tokens.ErrUnknownOutcome},
		"an answer that is empty":                           {tokenstest.Answer(200, "application/json", ""), tokens.ErrUnknownOutcome},
		"a wish for peace":                                  {tokenstest.TooManyRequests(3_600_000), tokens.ErrRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // reading is tried again after a while
			mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
			mas.MoveAdminAPI()
			config := mas.Config()
			config.BaseURL = mas.Internal.URL
			mas.Internal.Always(test.fault)
			_, err := connect(t, config).List(t.Context())
			wantKind(t, err, test.want)
		})
	}
}

func TestALookupThatFailsBeforeAnEffectSaysThatNothingHappened(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	mas.Put(tokens.Token{Text: "abc"})
	server := connect(t, mas.Config())
	for name, break_ := range map[string]func(tokenstest.Fault){
		"MAS":            mas.Public.Always,
		"the homeserver": mas.Homeserver.Always,
	} {
		t.Run(name, func(t *testing.T) {
			server = connect(t, mas.Config())
			break_(tokenstest.Page(502))
			defer break_(nil)
			wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrUnreachable)
			_, err := server.Create(t.Context(), tokens.Spec{Text: "def"})
			wantKind(t, err, tokens.ErrUnreachable)
		})
	}
	if list := mas.Tokens(); len(list) != 1 || list[0].Revoked {
		t.Errorf("MAS now has %+v", list)
	}
}

func TestWhatKeepsTheBotOutOfMAS(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(mas *tokenstest.MAS, config *tokens.Config)
		want  error
	}{
		"its client is not in admin_clients": {
			func(mas *tokenstest.MAS, _ *tokens.Config) { mas.SetAdminClient(false) }, tokens.ErrNotAdminClient,
		},
		"a wrong secret": {
			func(_ *tokenstest.MAS, c *tokens.Config) { c.ClientSecret = "wrong" }, tokens.ErrBadClient,
		},
		"a client that MAS doesn't know": {
			func(_ *tokenstest.MAS, c *tokens.Config) { c.ClientID = "registration-bot" }, tokens.ErrBadClient,
		},
		"another auth method": {
			func(_ *tokenstest.MAS, c *tokens.Config) { c.ClientAuth = tokens.AuthPost }, tokens.ErrBadClient,
		},
		"a personal access token that is no longer valid": {
			func(_ *tokenstest.MAS, c *tokens.Config) { c.Token, c.ClientID = "mpt_old", "" }, tokens.ErrBadCredentials,
		},
		"adminapi on another listener": {
			func(mas *tokenstest.MAS, _ *tokens.Config) { mas.MoveAdminAPI() }, tokens.ErrNoAdminAPI,
		},
		"an issuer where MAS isn't": {
			func(mas *tokenstest.MAS, c *tokens.Config) { c.Issuer = mas.Internal.URL }, tokens.ErrNoIssuer,
		},
		"an issuer that is a homeserver": {
			func(mas *tokenstest.MAS, c *tokens.Config) { c.Issuer = mas.Homeserver.URL }, tokens.ErrNoIssuer,
		},
		"an issuer that answers everything with a page": {
			func(mas *tokenstest.MAS, _ *tokens.Config) { mas.Public.Always(tokenstest.Page(200)) }, tokens.ErrNoIssuer,
		},
		"an issuer that says nothing of itself": {
			func(mas *tokenstest.MAS, _ *tokens.Config) { mas.Public.Always(tokenstest.JSON(200, `{}`)) }, tokens.ErrNoIssuer,
		},
		"a homeserver that names no web address": {
			func(mas *tokenstest.MAS, _ *tokens.Config) {
				mas.Homeserver.Delegate(map[string]string{"issuer": "mas.example.com"})
			}, tokens.ErrNoIssuer,
		},
		"a homeserver that started while MAS was away": {
			func(mas *tokenstest.MAS, _ *tokens.Config) { mas.Homeserver.Always(tokenstest.InternalError()) }, tokens.ErrUnreachable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
			config := mas.Config()
			test.spoil(mas, &config)
			server := connect(t, config)
			_, err := server.List(t.Context())
			wantKind(t, err, test.want)
			_, err = server.Create(t.Context(), tokens.Spec{Text: "abc"})
			wantKind(t, err, test.want)
		})
	}
}

func TestTheSecretIsSentInTheWayThatTheClientIsRegisteredWith(t *testing.T) {
	for registered, works := range map[string]string{
		"client_secret_basic": tokens.AuthBasic,
		"client_secret_post":  tokens.AuthPost,
	} {
		for _, configured := range []string{"", tokens.AuthAuto, tokens.AuthBasic, tokens.AuthPost} {
			t.Run(registered+" "+configured, func(t *testing.T) {
				mas := tokenstest.StartMAS(t, tokenstest.MASOptions{AuthMethod: registered})
				config := mas.Config()
				config.ClientAuth = configured
				_, err := connect(t, config).List(t.Context())
				if configured == "" || configured == tokens.AuthAuto || configured == works {
					wantKind(t, err, nil)
				} else {
					wantKind(t, err, tokens.ErrBadClient)
				}
			})
		}
	}
}

func TestMASIsFoundWithoutTheHomeserverIfTheConfigNamesIt(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{Prefix: "/auth"})
	config := mas.Config()
	config.Issuer = mas.Public.URL + "/auth/"
	if _, err := connect(t, config).List(t.Context()); err != nil {
		t.Error(err)
	}
	if asked := mas.Homeserver.Requests(); len(asked) != 0 {
		t.Errorf("the homeserver was asked for %v", asked)
	}
}

func TestAnIssuerCanBeSetApartFromTheAddressOfMAS(t *testing.T) {
	elsewhere := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{Issuer: elsewhere.Internal.URL})
	config := mas.Config()
	config.BaseURL = mas.Public.URL
	server := connect(t, config)
	if _, err := server.List(t.Context()); err != nil {
		t.Error(err)
	}
	if page, want := server.Abilities().SignUp, mas.Public.URL+"/register"; page != want {
		t.Errorf("people sign up at %s, want %s", page, want)
	}
}

func TestAdminapiCanBeOnAnotherListener(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{Prefix: "/auth"})
	mas.MoveAdminAPI()
	config := mas.Config()
	config.BaseURL = mas.Internal.URL + "/"
	if _, err := connect(t, config).List(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAllTokensAreListedAndFoundHoweverManyThereAre(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	const many = 2345
	for n := range many {
		mas.Put(tokens.Token{Text: fmt.Sprint("token", n), Revoked: n%2 == 1})
	}
	server := connect(t, mas.Config())
	list, err := server.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, token := range list {
		texts[token.Text] = true
	}
	if len(list) != many || len(texts) != many {
		t.Errorf("%d tokens are listed, %d different ones, want %d", len(list), len(texts), many)
	}
	valid, err := server.ListValid(t.Context())
	if err != nil || len(valid) != (many+1)/2 {
		t.Errorf("%d valid ones are listed, %v", len(valid), err)
	}
	if token, err := server.Get(t.Context(), fmt.Sprint("token", many-1)); err != nil || token.Revoked {
		t.Errorf("the last one: %+v, %v", token, err)
	}
}

func TestAListThatNeverEndsIsNotReadForEver(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	server := connect(t, mas.Config())
	if _, err := server.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	mas.Public.Always(tokenstest.JSON(200, `{"data":[],"links":{"next":"/more"}}`))
	if list, err := server.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
	// A cache before MAS that leaves out what stands behind the question mark.
	mas.Public.Always(tokenstest.JSON(200, `{"data":[{"id":"01","attributes":{"token":"same"}}],"links":{"next":"/more"}}`))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	list, err := server.List(ctx)
	if ctx.Err() != nil || len(list) != 0 {
		t.Errorf("got %d tokens", len(list))
	}
	wantKind(t, err, tokens.ErrUnknownOutcome)
}

func TestTheIDOfATokenIsRemembered(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	mas.Put(tokens.Token{Text: "foreign"})
	server := connect(t, mas.Config())
	if _, err := server.Create(t.Context(), tokens.Spec{Text: "ours"}); err != nil {
		t.Fatal(err)
	}
	lists := func() (n int) {
		for _, request := range mas.Public.Requests() {
			if strings.Contains(request.URI, "page") {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		text string
		want int
	}{{"ours", 0}, {"foreign", 1}, {"foreign", 1}, {"ours", 1}} {
		if _, err := server.Get(t.Context(), step.text); err != nil {
			t.Error(err)
		}
		if n := lists(); n != step.want {
			t.Errorf("after looking for %s the list was read %d times, want %d", step.text, n, step.want)
		}
	}

	mas.NewTokenID("ours")
	if err := server.Delete(t.Context(), "ours"); err != nil {
		t.Errorf("with another id: %v", err)
	}
}

// lyingIDs says that every token has the same id.
type lyingIDs string

func (l lyingIDs) TokenID(context.Context, string) (string, error) { return string(l), nil }

func (l lyingIDs) SaveTokenID(context.Context, string, string) error {
	return errors.New("the disk is full")
}

func TestARememberedIDIsNotTrusted(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	server := connect(t, mas.Config())
	if _, err := server.Create(t.Context(), tokens.Spec{Text: "bystander"}); err != nil {
		t.Fatal(err)
	}
	mas.Put(tokens.Token{Text: "abc"})
	bystander := idOf(t, mas, "bystander")
	for _, id := range []string{bystander, "01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		config := mas.Config()
		config.IDs = lyingIDs(id)
		if err := connect(t, config).Delete(t.Context(), "abc"); err != nil {
			t.Error(err)
		}
		mas.Put(tokens.Token{Text: "abc"})
	}
	for _, token := range mas.Tokens() {
		if token.Revoked {
			t.Errorf("%s was revoked", token.Text)
		}
	}
}

// idOf asks MAS as the bot does and returns the id that the bot learns.
func idOf(t *testing.T, mas *tokenstest.MAS, text string) string {
	t.Helper()
	ids := &learntIDs{}
	config := mas.Config()
	config.IDs = ids
	if _, err := connect(t, config).Get(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	return ids.last
}

type learntIDs struct{ last string }

func (l *learntIDs) TokenID(context.Context, string) (string, error) { return "", nil }

func (l *learntIDs) SaveTokenID(_ context.Context, _, id string) error {
	l.last = id
	return nil
}

func TestWhatMASIsAskedToMake(t *testing.T) {
	expires := time.Date(2036, 12, 24, 18, 0, 0, int(5*time.Millisecond), time.FixedZone("", 3600))
	for want, spec := range map[string]tokens.Spec{
		`{"token":"abc","usage_limit":null,"expires_at":null}`:                    {Text: "abc"},
		`{"token":"abc","usage_limit":5,"expires_at":"2036-12-24T17:00:00.005Z"}`: {Text: "abc", Uses: new(5), Expires: &expires},
	} {
		mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
		token, err := connect(t, mas.Config()).Create(t.Context(), spec)
		if err != nil || !spec.Matches(token) {
			t.Errorf("asked for %+v, got %+v, %v", spec, token, err)
		}
		requests := mas.Public.Requests()
		if got := requests[len(requests)-1].Body; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAfterAnUnknownOutcomeTheTokenIsFound(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	server := connect(t, mas.Config())
	if _, err := server.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	spec := tokens.Spec{Text: "abc", Uses: new(1), Expires: new(time.Now().Add(time.Hour))}
	mas.Public.Next(tokenstest.CutAfter())
	_, err := server.Create(t.Context(), spec)
	wantKind(t, err, tokens.ErrUnknownOutcome)
	if token, err := server.Get(t.Context(), "abc"); err != nil || !spec.Matches(token) {
		t.Errorf("it is %+v, %v", token, err)
	}

	mas.Public.Next(func(w http.ResponseWriter, r *http.Request, s http.Handler) { s.ServeHTTP(w, r) }, tokenstest.CutAfter())
	wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrUnknownOutcome)
	wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrRevoked)
}

func TestForeignTokensOfMASAreShownAsTheyAre(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	for _, token := range []tokens.Token{
		{Text: " a b "},
		{Text: ""},
		{Text: "emoji 🎟"},
		{Text: "none", Uses: new(0)},
		{Text: "overrun", Uses: new(1), Completed: 4},
		{Text: "gone", Revoked: true, Expires: new(time.Now().Add(-time.Hour))},
	} {
		mas.Put(token)
	}
	server := connect(t, mas.Config())
	for text, want := range map[string]tokens.State{
		" a b ": tokens.Valid, "": tokens.Valid, "emoji 🎟": tokens.Valid,
		"none": tokens.Used, "overrun": tokens.Used, "gone": tokens.Revoked,
	} {
		token, err := server.Get(t.Context(), text)
		if err != nil || token.Text != text || token.State(time.Now()) != want {
			t.Errorf("%q: %+v, %v, want %s", text, token, err, want)
		}
	}

	mas.Public.Next(tokenstest.JSON(200, `{"links":{"self":"x"},"data":[{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","attributes":{
		"token":"far","valid":true,"times_used":0,"created_at":"2026-01-01T00:00:00Z","expires_at":"+262000-12-31T23:59:59Z"}}]}`))
	list, err := server.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Expires == nil || list[0].Expires.Year() != 9999 {
		t.Errorf("the year 262000: %+v, %v", list, err)
	}
}

func TestWhoUsedATokenLast(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	mas.Put(tokens.Token{Text: "abc"})
	server := connect(t, mas.Config())
	ask := func() string {
		t.Helper()
		token, err := server.Get(t.Context(), "abc")
		if err != nil {
			t.Fatal(err)
		}
		user, err := server.LastUser(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return user
	}
	if user := ask(); user != "" {
		t.Errorf("nobody used it, and it was %q", user)
	}
	mas.Register("bystander", "")
	mas.Register("anna", "abc")
	mas.Register("somebody", "")
	if user := ask(); user != "anna" {
		t.Errorf("anna used it, and it was %q", user)
	}
	mas.Register("bert", "abc")
	if user := ask(); user != "bert" {
		t.Errorf("bert used it last, and it was %q", user)
	}

	early := time.Now().Add(-time.Hour)
	if user, err := server.LastUser(t.Context(), tokens.Token{Text: "abc", LastUsed: &early}); err != nil || user != "" {
		t.Errorf("nobody came at that time, and it was %q, %v", user, err)
	}
}

func TestMASTellsHowPeopleSignUp(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	server := connect(t, mas.Config())
	for _, want := range []tokens.SignUp{{Open: true, WantsTokens: true}, {Open: true}, {WantsTokens: true}, {}} {
		mas.SetSignUp(want)
		if got, err := server.SignUp(t.Context()); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	_, err := connect(t, tokenstest.StartSynapse(t).Config()).SignUp(t.Context())
	wantKind(t, err, tokens.ErrUnable)
}

func TestNoErrorOfMASHoldsASecret(t *testing.T) {
	const text = "sEcReT.t0ken~_-"
	echo := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		id, secret, _ := r.BasicAuth()
		w.WriteHeader(400)
		_, _ = fmt.Fprintln(w, r.Header.Get("Authorization"), id, secret, text, r.FormValue("client_secret"), r.FormValue("token"))
	}
	for _, method := range []string{"client_secret_basic", "client_secret_post"} {
		mas := tokenstest.StartMAS(t, tokenstest.MASOptions{AuthMethod: method})
		mas.Put(tokens.Token{Text: text})
		server := connect(t, mas.Config())
		var failures []error
		note := func(err error) { failures = append(failures, err) }

		mas.Public.Always(echo)
		note(server.Delete(t.Context(), text))
		mas.Public.Always(func(w http.ResponseWriter, r *http.Request, s http.Handler) {
			if strings.HasSuffix(r.URL.Path, "configuration") {
				s.ServeHTTP(w, r)
				return
			}
			echo(w, r, s)
		})
		note(server.Delete(t.Context(), text))
		mas.Public.Always(nil)
		if _, err := server.List(t.Context()); err != nil {
			t.Fatal(err)
		}
		mas.Public.Always(echo)
		_, err := server.Create(t.Context(), tokens.Spec{Text: text})
		note(err)
		note(server.Delete(t.Context(), text))
		note(server.Close(t.Context()))
		for n, err := range failures {
			all := asError(t, err).Server + err.Error()
			for _, secret := range []string{tokenstest.MASClientSecret, "mat_0", "Basic MDF"} {
				if strings.Contains(all, secret) {
					t.Errorf("%d: %s is in %s", n, secret, all)
				}
			}
		}
		if strings.Contains(failures[2].Error(), text) {
			t.Errorf("the token is in %v", failures[2])
		}
	}
}

func TestErrorsAreNamedAfterWhatWasToBeDone(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	mas.SetAdminClient(false)
	server := connect(t, mas.Config())
	_, err := server.Create(t.Context(), tokens.Spec{Text: "abc"})
	const want = `create token: the bot is not a server admin: its client is not in MAS's admin_clients ` +
		`(HTTP 403: "invalid_scope: scope 'urn:mas:admin' not allowed")`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestMASIsAskedPolitely(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	server := connect(t, mas.Config())
	for range 3 {
		if _, err := server.List(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var paths []string
	for _, request := range append(mas.Homeserver.Requests(), mas.Public.Requests()...) {
		path, _, _ := strings.Cut(request.URI, "?")
		paths = append(paths, path)
		if got := request.Header.Get("User-Agent"); got != "tokenstest" {
			t.Errorf("%s came from %q", path, got)
		}
	}
	const list = "/api/admin/v1/user-registration-tokens"
	want := []string{"/_matrix/client/v1/auth_metadata", "/.well-known/openid-configuration", "/oauth2/token", list, list, list}
	if !slices.Equal(paths, want) {
		t.Errorf("asked for %q, want %q", paths, want)
	}
}
