package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/config"
	"matrix-registration-bot/store"
	"matrix-registration-bot/tokens"
)

// hospital is an installation in which everything is well, until a test breaks
// something.
type hospital struct {
	answers map[string]answerFunc // "METHOD /path", for the homeserver
	outside outside               // what else can be reached
	bot     string                // where the bot listens
	patient Patient
}

type answerFunc func(w http.ResponseWriter, r *http.Request)

const bot = "@registration-bot:example.com"

func says(status int, body any) answerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

func refuses(status int, errcode, words string) answerFunc {
	return says(status, map[string]string{"errcode": errcode, "error": words})
}

func page(status int) answerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html>nginx</html>"))
	}
}

type fakeTokens struct {
	tokens.Server
	err error
}

func (f fakeTokens) Get(context.Context, string) (tokens.Token, error) { return tokens.Token{}, f.err }

// masTokens are fakeTokens of MAS, which tells how people sign up there.
type masTokens struct {
	fakeTokens
	signUp tokens.SignUp
}

func (f masTokens) SignUp(context.Context) (tokens.SignUp, error) { return f.signUp, f.err }

type fakeDatabase struct {
	missing bool
	held    bool
	device  string
	err     error
}

func (f fakeDatabase) Look(context.Context) (bool, error)     { return !f.missing, f.err }
func (f fakeDatabase) Held(context.Context) (bool, error)     { return f.held, nil }
func (f fakeDatabase) Device(context.Context) (string, error) { return f.device, f.err }

type object = map[string]any

func healthy(t *testing.T) *hospital {
	t.Helper()
	h := &hospital{outside: outside{}}
	botServer := httptest.NewServer(http.HandlerFunc(says(http.StatusOK, object{"status": "ok"})))
	t.Cleanup(botServer.Close)
	h.bot = strings.TrimPrefix(botServer.URL, "http://")
	h.answers = map[string]answerFunc{
		"GET /_matrix/client/versions":       says(http.StatusOK, object{"versions": []string{"v1.11"}}),
		"GET /_matrix/federation/v1/version": says(http.StatusOK, object{"server": object{"name": "Synapse", "version": "1.163.2"}}),
		"POST /_matrix/client/v3/register":   says(http.StatusUnauthorized, object{"session": "s", "flows": []object{{"stages": []string{"m.login.registration_token", "m.login.dummy"}}}}),
		"POST /_matrix/client/v3/keys/query": says(http.StatusOK, shownKeys("DEVICE", true)),
		"GET /_matrix/client/v3/account/whoami": func(w http.ResponseWriter, r *http.Request) {
			who := r.URL.Query().Get("user_id")
			if who == "" {
				who = "@_registration-bot:example.com"
			}
			says(http.StatusOK, object{"user_id": who})(w, r)
		},
		"POST /_matrix/client/v1/appservice/registration-bot/ping": says(http.StatusOK, object{"duration_ms": 1}),
	}
	homeserver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known := h.answers[r.Method+" "+r.URL.Path]
		if !known {
			answer = refuses(http.StatusNotFound, "M_UNRECOGNIZED", "Unrecognized request")
		}
		answer(w, r)
	}))
	t.Cleanup(homeserver.Close)

	folder := t.TempDir()
	configFile := filepath.Join(folder, "config.yaml")
	write(t, configFile, `
homeserver: {domain: example.com, address: `+homeserver.URL+`}
appservice: {listen: "`+h.bot+`"}
permissions: {"@you:example.com": admin}
encryption: {pickle_key: something long and random}
`)
	write(t, filepath.Join(folder, "registration.yaml"), `
id: registration-bot
url: http://`+h.bot+`
as_token: secret-as
hs_token: secret-hs
sender_localpart: _registration-bot
rate_limited: false
namespaces: {users: [{exclusive: true, regex: '^@registration-bot:example\.com$'}]}
`)
	cfg, err := config.Load(configFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := config.LoadRegistration(cfg.Appservice.Registration)
	if err != nil {
		t.Fatal(err)
	}
	h.patient = Patient{
		Config: cfg, ConfigFile: configFile, Registration: reg, Now: time.Now,
		Tokens:   fakeTokens{err: tokens.ErrNotFound},
		Database: fakeDatabase{device: "DEVICE", held: true},
		HTTP:     &http.Client{Transport: h.outside},
	}
	return h
}

// outside is what can be reached beyond this machine, by address: nothing, until
// a test puts something there.
type outside map[string]answerFunc

func (o outside) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() == "127.0.0.1" {
		return http.DefaultTransport.RoundTrip(r)
	}
	answer, known := o[r.URL.String()]
	if !known {
		return nil, errors.New("no such host")
	}
	page := httptest.NewRecorder()
	answer(page, r)
	return page.Result(), nil
}

func shownKeys(device string, signed bool) object {
	signatures := object{}
	if signed {
		signatures = object{bot: object{"ed25519:selfsigning": "x"}}
	}
	return object{
		"device_keys":       object{bot: object{device: object{"keys": object{"ed25519:" + device: "k"}, "signatures": signatures}}},
		"master_keys":       object{bot: object{"keys": object{"ed25519:master": "m"}}},
		"self_signing_keys": object{bot: object{"keys": object{"ed25519:selfsigning": "s"}}},
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAHealthyInstallationHasNothingButOK(t *testing.T) {
	h := healthy(t)
	findings := Examine(t.Context(), &h.patient)
	if len(findings) != len(checks()) || !Sound(findings) {
		t.Errorf("findings %+v", findings)
	}
	for _, f := range findings {
		if f.State != OK || f.Do != "" || f.Text == "" {
			t.Errorf("%s: %+v", f.Check, f)
		}
	}
}

// Each row breaks one thing. The check that is named must see it and say what to
// do; every other one stays ok, except those that follow from it.
func TestEachMistakeIsFoundAndNamed(t *testing.T) {
	whoami := "GET /_matrix/client/v3/account/whoami"
	ping := "POST /_matrix/client/v1/appservice/registration-bot/ping"
	register := "POST /_matrix/client/v3/register"
	keys := "POST /_matrix/client/v3/keys/query"
	unknownToken := refuses(http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "Unrecognised access token")
	replace := func(request string, answer answerFunc) func(*hospital) {
		return func(h *hospital) { h.answers[request] = answer }
	}
	publish := func(answer answerFunc) func(*hospital) {
		return func(h *hospital) { h.outside[wellKnownFile] = answer }
	}
	api := func(err error) func(*hospital) { return func(h *hospital) { h.patient.Tokens = fakeTokens{err: err} } }

	// What else is not ok then, because it depends on the same.
	follow := map[string][]string{
		"namespace misses the bot": {"encryption"},
		"registration not loaded":  {"bot user"},
		"not loaded by Dendrite":   {"bot user", "sign-up"},
		"bot not running":          {"registration"},
		"another copy at work":     {"registration", "way back"},
		"MAS that can't be asked":  {"token API"},
		"database down":            {"encryption"},
		"database of a newer bot":  {"encryption"},
	}

	for name, c := range map[string]struct {
		spoil func(h *hospital)
		check string
		state State
		says  string // a part of the finding's text or advice
	}{
		"config readable by all":     {func(h *hospital) { _ = os.Chmod(h.patient.ConfigFile, 0o644) }, "config files", Warning, "chmod o="},
		"homeserver limits the bot":  {func(h *hospital) { h.patient.Registration.RateLimited = true }, "registration", Warning, "rate_limited: false"},
		"namespace misses the bot":   {func(h *hospital) { h.patient.Config.Bot.Username = "other" }, "registration", Problem, "namespaces.users"},
		"homeserver is a web server": {replace("GET /_matrix/client/versions", page(200)), "homeserver", Problem, "no homeserver"},
		"old Synapse":                {replace("GET /_matrix/federation/v1/version", says(200, object{"server": object{"name": "Synapse", "version": "1.140.0"}})), "homeserver", Problem, "1.141"},
		"registration not loaded":    {replace(whoami, unknownToken), "server name", Problem, "app_service_config_files"},
		"another server name":        {replace(whoami, says(200, object{"user_id": "@_registration-bot:other.org"})), "server name", Problem, "homeserver.domain: other.org"},
		"well-known is a web page":   {publish(page(200)), "well-known", Warning, `{"m.homeserver": {"base_url": "https://..."}}`},
		"well-known is empty":        {publish(says(200, object{})), "well-known", Warning, "names no homeserver"},
		"well-known leads nowhere":   {publish(leadsTo("https://gone.example.com")), "well-known", Warning, "sends clients to https://gone.example.com, where no homeserver answers"},
		"well-known leads elsewhere": {invitesElsewhere, "well-known", Warning, "Set homeserver.public_address: https://chat.example.com"},
		"bot not registered yet":     {onlyAsBot(whoami, refuses(403, "M_FORBIDDEN", "Application service has not registered this user (x)")), "bot user", Warning, "Start the bot"},
		"bot not in the namespace":   {onlyAsBot(whoami, refuses(403, "M_FORBIDDEN", "Application service cannot masquerade as this user")), "bot user", Problem, "namespaces.users"},
		"bot not running":            {func(h *hospital) { notRunning(h, false) }, "way back", Warning, "not running"},
		"another copy at work":       {func(h *hospital) { notRunning(h, true) }, "database", Warning, "another copy"},
		"another bot at this port":   {func(h *hospital) { h.patient.Database = fakeDatabase{device: "DEVICE"} }, "database", Warning, "none works with this database"},
		"wrong url":                  {replace(ping, refuses(502, "M_CONNECTION_FAILED", "refused")), "way back", Problem, "url in registration.yaml"},
		"wrong hs_token":             {replace(ping, refuses(502, "M_BAD_STATUS", "403")), "way back", Problem, "same registration.yaml"},
		"no ping":                    {replace(ping, refuses(404, "M_UNRECOGNIZED", "")), "way back", Warning, "no ping"},
		"not an admin":               {api(tokens.ErrNotAdmin), "token API", Problem, `{"admin": true}`},
		"api.token of no admin":      {api(tokens.ErrNotAdminToken), "token API", Problem, "Set api.token"},
		"closed by a proxy":          {api(tokens.ErrNoAPI), "token API", Problem, "api.base_url"},
		"MAS in front":               {api(&tokens.Error{Kind: tokens.ErrNeedsCredentials, Found: "mas"}), "token API", Problem, "mas"},
		"not in admin_clients":       {api(tokens.ErrNotAdminClient), "token API", Problem, "admin_clients"},
		"wrong type of server":       {api(&tokens.Error{Kind: tokens.ErrWrongKind, Found: "dendrite"}), "token API", Problem, "api.type: dendrite"},
		"token API away":             {api(tokens.ErrUnreachable), "token API", Problem, "api.base_url"},
		"registration off":           {replace(register, refuses(403, "M_FORBIDDEN", "Registration has been disabled")), "sign-up", Problem, "enable_registration: true"},
		"tokens not asked for":       {replace(register, says(401, object{"flows": []object{{"stages": []string{"m.login.dummy"}}}})), "sign-up", Problem, "registration_requires_token"},
		"MAS without tokens":         {atMAS(tokens.SignUp{Open: true}), "sign-up", Warning, "password_registration_token_required: true"},
		"MAS that lets nobody in":    {atMAS(tokens.SignUp{WantsTokens: true}), "sign-up", Warning, "password_registration_enabled: true"},
		"MAS that can't be asked":    {atMAS(tokens.SignUp{}, tokens.ErrNotAdminClient), "sign-up", Warning, "can't be seen"},
		"MAS, said otherwise":        {replace(register, elsewhere), "sign-up", Warning, "api.type"},
		"open Dendrite":              {onDendrite(register, says(401, object{"flows": []object{{"stages": []string{"m.login.dummy"}}}})), "sign-up", Warning, "registration_disabled: true"},
		"closed Dendrite":            {onDendrite(register, refuses(403, "M_FORBIDDEN", "Registration is disabled")), "sign-up", Warning, "lets nobody register"},
		"not loaded by Dendrite":     {onDendrite(whoami, unknownToken), "server name", Problem, "app_service_api:"},
		"one way without a token":    {replace(register, says(401, object{"flows": []object{{"stages": []string{tokenStage}}, {"stages": []string{"m.login.dummy"}}}})), "sign-up", Problem, "without a token"},
		"database down":              {func(h *hospital) { h.patient.Database = fakeDatabase{err: errors.New("refused"), device: "DEVICE"} }, "database", Problem, "database.uri"},
		"database of a newer bot":    {func(h *hospital) { h.patient.Database = fakeDatabase{err: store.ErrNewer, device: "DEVICE"} }, "database", Problem, "Run the newer version"},
		"no database yet":            {func(h *hospital) { h.patient.Database = fakeDatabase{missing: true, device: "DEVICE"} }, "database", Warning, "Start the bot"},
		"encryption off":             {func(h *hospital) { h.patient.Config.Encryption.Enabled = false }, "encryption", Warning, "encryption.enabled"},
		"no device yet":              {func(h *hospital) { h.patient.Database = fakeDatabase{held: true} }, "encryption", Warning, "no device"},
		"device gone":                {replace(keys, says(200, shownKeys("OTHER", true))), "encryption", Problem, "does not have"},
		"device not signed":          {replace(keys, says(200, shownKeys("DEVICE", false))), "encryption", Problem, "not signed"},
		"no cross-signing":           {replace(keys, says(200, object{"device_keys": object{bot: object{"DEVICE": object{}}}})), "encryption", Problem, "cross-signing"},
		"clocks apart":               {func(h *hospital) { h.patient.Now = func() time.Time { return time.Now().Add(time.Hour) } }, "clock", Warning, "NTP"},
	} {
		t.Run(name, func(t *testing.T) {
			h := healthy(t)
			c.spoil(h)
			findings := Examine(t.Context(), &h.patient)
			found, others := false, []string(nil)
			for _, f := range findings {
				switch {
				case f.Check == c.check:
					found = true
					if f.State != c.state || !strings.Contains(f.Text+" "+f.Do, c.says) {
						t.Errorf("found %+v, want %s with %q", f, c.state, c.says)
					}
					if f.Do == "" {
						t.Error("it does not say what to do")
					}
				case f.State != OK:
					others = append(others, f.Check)
				}
			}
			if !found {
				t.Errorf("there is no check named %q", c.check)
			}
			if !slices.Equal(others, follow[name]) {
				t.Errorf("not ok either: %q, want %q", others, follow[name])
			}
			for _, f := range findings {
				if strings.Contains(f.Text+f.Do, "secret-") {
					t.Errorf("a secret stands in %+v", f)
				}
			}
		})
	}
}

// elsewhere is what Synapse says of registering when it left that to MAS.
var elsewhere = refuses(403, "M_FORBIDDEN", "Registration has been disabled. Only m.login.application_service registrations are allowed.")

// atMAS leaves accounts to a MAS, which may fail.
func atMAS(signUp tokens.SignUp, err ...error) func(*hospital) {
	return func(h *hospital) {
		h.answers["POST /_matrix/client/v3/register"] = elsewhere
		h.patient.Tokens = masTokens{fakeTokens{err: errors.Join(err...)}, signUp}
	}
}

// onDendrite makes the homeserver one that has Dendrite's admin API.
func onDendrite(request string, answer answerFunc) func(*hospital) {
	return func(h *hospital) {
		h.answers["GET /_dendrite/admin/registrationTokens"] = refuses(401, "M_MISSING_TOKEN", "missing access token")
		h.answers[request] = answer
	}
}

// notRunning has nobody listen where the bot does.
func notRunning(h *hospital, held bool) {
	h.patient.Config.Appservice.Listen = "127.0.0.1:1"
	h.patient.Database = fakeDatabase{device: "DEVICE", held: held}
}

// onlyAsBot answers so when the appservice speaks as the bot.
func onlyAsBot(request string, asBot answerFunc) func(*hospital) {
	return func(h *hospital) {
		plain := h.answers[request]
		h.answers[request] = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("user_id") == bot {
				asBot(w, r)
			} else {
				plain(w, r)
			}
		}
	}
}

const wellKnownFile = "https://example.com/.well-known/matrix/client"

func leadsTo(homeserver string) answerFunc {
	return says(http.StatusOK, object{"m.homeserver": object{"base_url": homeserver}})
}

// invitesElsewhere has invitations name another address than the well-known file.
func invitesElsewhere(h *hospital) {
	h.patient.Config.Homeserver.PublicAddress = "https://matrix.example.com"
	h.outside[wellKnownFile] = leadsTo("https://chat.example.com/")
}

func TestAWellKnownFileThatLeadsToTheHomeserver(t *testing.T) {
	h := healthy(t)
	h.patient.Config.Homeserver.PublicAddress = "https://matrix.example.com/"
	h.outside[wellKnownFile] = leadsTo("https://matrix.example.com/")
	h.outside["https://matrix.example.com/_matrix/client/versions"] = says(http.StatusOK, object{"versions": []string{"v1.11"}})
	if f := wellKnown(t.Context(), &h.patient); f.State != OK || !strings.Contains(f.Text, "sent to https://matrix.example.com.") {
		t.Errorf("found %+v", f)
	}
}

func TestWithoutAHomeserverNothingPanics(t *testing.T) {
	h := healthy(t)
	h.patient.Config.Homeserver.Address = "http://127.0.0.1:1"
	findings := Examine(t.Context(), &h.patient)
	if Sound(findings) {
		t.Error("a homeserver that is not there is no problem?")
	}
}
