package tokens_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// everything has credentials for every kind of server.
func everything(config tokens.Config) tokens.Config {
	config.Token, config.UserID = tokenstest.AdminToken, ""
	config.ClientID, config.ClientSecret = tokenstest.MASClientID, tokenstest.MASClientSecret
	return config
}

// conduit is a homeserver without a token API.
func conduit(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokenstest.JSON(http.StatusNotFound, `{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}`)(w, r, nil)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheKindOfServerIsFoundOut(t *testing.T) {
	for name, test := range map[string]struct {
		config func(t *testing.T) tokens.Config
		want   string
	}{
		"Synapse":                        {func(t *testing.T) tokens.Config { return tokenstest.StartSynapse(t).Config() }, tokens.KindSynapse},
		"Synapse, all credentials":       {func(t *testing.T) tokens.Config { return everything(tokenstest.StartSynapse(t).Config()) }, tokens.KindSynapse},
		"tuwunel":                        {func(t *testing.T) tokens.Config { return tokenstest.StartTuwunel(t).Config() }, tokens.KindSynapse},
		"Dendrite":                       {func(t *testing.T) tokens.Config { return tokenstest.StartDendrite(t).Config() }, tokens.KindDendrite},
		"MAS":                            {masConfig, tokens.KindMAS},
		"MAS, all credentials":           {func(t *testing.T) tokens.Config { return everything(masConfig(t)) }, tokens.KindMAS},
		"MAS, admin API elsewhere":       {masConfigElsewhere, tokens.KindMAS},
		"MAS, admin API of Synapse kept": {masConfigWithOldAddress, tokens.KindMAS},
	} {
		t.Run(name, func(t *testing.T) {
			config := test.config(t)
			config.Kind = tokens.KindAuto
			server := connect(t, config)
			if kind := server.Abilities().Kind; kind != "" {
				t.Errorf("it is known to be %s before anything was asked", kind)
			}
			_, err := server.List(t.Context())
			if kind := server.Abilities().Kind; kind != test.want {
				t.Errorf("it was taken for %q, want %s (%v)", kind, test.want, err)
			}
		})
	}
}

func masConfig(t *testing.T) tokens.Config {
	return tokenstest.StartMAS(t, tokenstest.MASOptions{}).Config()
}

func masConfigElsewhere(t *testing.T) tokens.Config {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	mas.MoveAdminAPI()
	config := mas.Config()
	config.BaseURL = mas.Internal.URL
	return config
}

func masConfigWithOldAddress(t *testing.T) tokens.Config {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	config := mas.Config()
	config.BaseURL = mas.Homeserver.URL
	return config
}

func TestAServerWithoutATokenAPI(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	synapse.Delegate(map[string]string{"issuer": "https://mas.example.com/"})
	dendrite := tokenstest.StartDendrite(t)
	for name, test := range map[string]struct {
		config tokens.Config
		want   error
	}{
		"Conduit":                           {tokens.Config{BaseURL: conduit(t)}, tokens.ErrHasNone},
		"a proxy that closes the paths":     {tokens.Config{BaseURL: closed(t, 403), Homeserver: conduit(t)}, tokens.ErrNoAPI},
		"a proxy that doesn't know them":    {tokens.Config{BaseURL: closed(t, 404), Homeserver: conduit(t)}, tokens.ErrNoAPI},
		"a web site":                        {tokens.Config{BaseURL: closed(t, 200)}, tokens.ErrNoAPI},
		"a proxy with a password":           {tokens.Config{BaseURL: closed(t, 401), Homeserver: conduit(t)}, tokens.ErrRefused},
		"a proxy that lost the server":      {tokens.Config{BaseURL: closed(t, 502), Homeserver: conduit(t)}, tokens.ErrUnreachable},
		"MAS, and credentials for Synapse":  {tokens.Config{BaseURL: synapse.URL}, tokens.ErrNeedsCredentials},
		"Dendrite, and only the as_token":   {tokens.Config{BaseURL: dendrite.URL, UserID: tokenstest.BotUser}, tokens.ErrNeedsCredentials},
		"nobody":                            {tokens.Config{BaseURL: "http://127.0.0.1:1"}, tokens.ErrUnreachable},
		"a homeserver that can't tell":      {tokens.Config{BaseURL: conduit(t), Homeserver: closed(t, 500)}, tokens.ErrUnreachable},
		"a homeserver that has other pages": {tokens.Config{BaseURL: conduit(t), Homeserver: closed(t, 200)}, tokens.ErrNoAPI},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // some are asked again after a while
			test.config.Kind = tokens.KindAuto
			test.config.Token = "as-token"
			if test.want == tokens.ErrNeedsCredentials && test.config.UserID == "" {
				test.config.UserID = tokenstest.BotUser
			}
			server := connect(t, test.config)
			_, err := server.Create(t.Context(), tokens.Spec{Text: "abc"})
			wantKind(t, err, test.want)
			if exactly := asError(t, err).Kind; exactly != test.want {
				t.Errorf("got %v, want exactly %v", exactly, test.want)
			}
			if op := asError(t, err).Op; op != "create token" {
				t.Errorf("%q failed, it says", op)
			}
		})
	}
}

// closed is a reverse proxy that has this page for everything.
func closed(t *testing.T, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokenstest.Page(status)(w, r, nil)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestFindingOutGivesNothingAway(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.RequestURI+" "+r.Header.Get("Authorization"))
		tokenstest.Page(http.StatusNotFound)(w, r, nil)
	}))
	defer server.Close()
	config := everything(tokens.Config{Kind: tokens.KindAuto, BaseURL: server.URL})
	_, err := connect(t, config).List(t.Context())
	wantKind(t, err, tokens.ErrNoAPI)
	want := []string{
		"GET /_synapse/admin/v1/registration_tokens ",
		"GET /_dendrite/admin/registrationTokens ",
		"GET /_matrix/client/v1/auth_metadata ",
	}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("it saw\n%q\nwant\n%q", seen, want)
	}
}

func TestAWrongKindInTheConfigIsToldWithTheRightOne(t *testing.T) {
	servers := map[string]tokens.Config{
		tokens.KindSynapse:  tokenstest.StartSynapse(t).Config(),
		tokens.KindMAS:      masConfig(t),
		tokens.KindDendrite: tokenstest.StartDendrite(t).Config(),
	}
	for right, config := range servers {
		for _, wrong := range []string{tokens.KindSynapse, tokens.KindMAS, tokens.KindDendrite} {
			if wrong == right {
				continue
			}
			t.Run(right+" called "+wrong, func(t *testing.T) {
				config := everything(config)
				config.Kind = wrong
				_, err := connect(t, config).Create(t.Context(), tokens.Spec{Text: "abc"})
				wantKind(t, err, tokens.ErrWrongKind)
				if found := asError(t, err).Found; found != right {
					t.Errorf("it is said to be %q", found)
				}
			})
		}
	}
	config := everything(tokens.Config{Kind: tokens.KindSynapse, BaseURL: conduit(t)})
	_, err := connect(t, config).List(t.Context())
	wantKind(t, err, tokens.ErrHasNone)
}

func TestAServerThatMovesItsAccountsToMASWhileTheBotRuns(t *testing.T) {
	for name, test := range map[string]struct {
		kind       string
		clientID   string
		want       error
		wantedKind string
	}{
		"with credentials for both":     {tokens.KindAuto, tokenstest.MASClientID, nil, tokens.KindMAS},
		"without credentials for MAS":   {tokens.KindAuto, "", tokens.ErrNeedsCredentials, tokens.KindSynapse},
		"when the config says Synapse":  {tokens.KindSynapse, tokenstest.MASClientID, tokens.ErrWrongKind, tokens.KindSynapse},
		"without credentials, Synapse ": {tokens.KindSynapse, "", tokens.ErrWrongKind, tokens.KindSynapse},
	} {
		t.Run(name, func(t *testing.T) {
			mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
			mas.Homeserver.Delegate(nil)
			config := tokens.Config{
				Kind: test.kind, Homeserver: mas.Homeserver.URL, Token: tokenstest.ASToken, UserID: tokenstest.BotUser,
				ClientID: test.clientID, ClientSecret: tokenstest.MASClientSecret,
			}
			server := connect(t, config)
			if _, err := server.Create(t.Context(), tokens.Spec{Text: "before"}); err != nil {
				t.Fatal(err)
			}
			if kind := server.Abilities().Kind; kind != tokens.KindSynapse {
				t.Fatalf("it is %q", kind)
			}

			mas.Homeserver.Delegate(mas.Metadata())
			_, err := server.Create(t.Context(), tokens.Spec{Text: "after"})
			wantKind(t, err, test.want)
			if kind := server.Abilities().Kind; kind != test.wantedKind {
				t.Errorf("now it is %q, want %s", kind, test.wantedKind)
			}
			if err != nil {
				if found := asError(t, err).Found; found != tokens.KindMAS {
					t.Errorf("%q was found", found)
				}
				return
			}
			if list := mas.Tokens(); len(list) != 1 || list[0].Text != "after" {
				t.Errorf("MAS has %+v", list)
			}

			mas.Homeserver.Delegate(nil)
			if err := server.Close(t.Context()); err != nil { // which makes it look for MAS again
				t.Error(err)
			}
			if _, err := server.Get(t.Context(), "before"); err != nil {
				t.Errorf("back on Synapse: %v", err)
			}
		})
	}
}

func TestAServerThatIsAwayIsFoundOutLater(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	config := synapse.Config()
	config.Kind = tokens.KindAuto
	server := connect(t, config)
	synapse.Always(tokenstest.Page(502))
	_, err := server.List(t.Context())
	wantKind(t, err, tokens.ErrUnreachable)
	synapse.Always(nil)
	if _, err := server.List(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAClosedPathIsNotTakenForAnotherKindOfServer(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	config := synapse.Config()
	config.Kind = tokens.KindAuto
	server := connect(t, config)
	if _, err := server.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	synapse.Always(tokenstest.Page(404))
	_, err := server.List(t.Context())
	wantKind(t, err, tokens.ErrNoAPI)
	if asError(t, err).Kind != tokens.ErrNoAPI {
		t.Errorf("it is said that %v", err)
	}
	if kind := server.Abilities().Kind; kind != tokens.KindSynapse {
		t.Errorf("now it is %q", kind)
	}
}

func TestWhatAKindOfServerNeedsIsSaidAtOnce(t *testing.T) {
	good := tokens.Config{BaseURL: "https://matrix.example.com", Token: "t", UserID: tokenstest.BotUser}
	for kind, needs := range map[string]bool{tokens.KindSynapse: false, tokens.KindMAS: true, tokens.KindDendrite: true, tokens.KindAuto: false} {
		config := good
		config.Kind = kind
		_, err := tokens.New(config)
		if needs {
			wantKind(t, err, tokens.ErrNeedsCredentials)
		} else if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
