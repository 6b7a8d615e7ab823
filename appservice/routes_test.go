package appservice

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	const v1 = "/_matrix/app/v1"
	both := bearer(hsToken)
	for name, tc := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
		code               string // "": the answer is {}
	}{
		"a transaction":                                    {"PUT", v1 + "/transactions/1", `{"events":[]}`, both, 200, ""},
		"a transaction on the legacy path":                 {"PUT", "/transactions/1", `{"events":[]}`, both, 200, ""},
		"the token as a parameter":                         {"PUT", "/transactions/1?access_token=" + hsToken, `{"events":[]}`, nil, 200, ""},
		"the token in both places":                         {"PUT", v1 + "/transactions/1?access_token=" + hsToken, `{"events":[]}`, both, 200, ""},
		"the token beside an empty header":                 {"PUT", v1 + "/transactions/1?access_token=" + hsToken, `{"events":[]}`, http.Header{"Authorization": {"Bearer "}}, 200, ""},
		"the token beside the proxy's own authorization":   {"PUT", v1 + "/transactions/1?access_token=" + hsToken, `{"events":[]}`, http.Header{"Authorization": {"Basic YTpi"}}, 200, ""},
		"the scheme in small letters":                      {"PUT", v1 + "/transactions/1", `{"events":[]}`, http.Header{"Authorization": {"bearer " + hsToken}}, 200, ""},
		"no token":                                         {"PUT", v1 + "/transactions/1", `{"events":[]}`, nil, 401, "M_MISSING_TOKEN"},
		"an empty token":                                   {"PUT", v1 + "/transactions/1?access_token=", `{"events":[]}`, nil, 401, "M_MISSING_TOKEN"},
		"a wrong token":                                    {"PUT", v1 + "/transactions/1", `{"events":[]}`, bearer("wrong"), 403, "M_FORBIDDEN"},
		"the start of the token":                           {"PUT", v1 + "/transactions/1", `{"events":[]}`, bearer(hsToken[:5]), 403, "M_FORBIDDEN"},
		"a wrong token as a parameter":                     {"PUT", v1 + "/transactions/1?access_token=wrong", `{"events":[]}`, nil, 403, "M_FORBIDDEN"},
		"the token in the header, another as a parameter":  {"PUT", v1 + "/transactions/1?access_token=wrong", `{"events":[]}`, both, 403, "M_FORBIDDEN"},
		"the token as a parameter, another in the header":  {"PUT", v1 + "/transactions/1?access_token=" + hsToken, `{"events":[]}`, bearer("wrong"), 403, "M_FORBIDDEN"},
		"two parameters of which one is wrong":             {"PUT", v1 + "/transactions/1?access_token=" + hsToken + "&access_token=x", `{"events":[]}`, nil, 403, "M_FORBIDDEN"},
		"a transaction without an id":                      {"PUT", v1 + "/transactions/", `{"events":[]}`, both, 404, "M_UNRECOGNIZED"},
		"a transaction by POST":                            {"POST", v1 + "/transactions/1", `{"events":[]}`, both, 405, "M_UNRECOGNIZED"},
		"a legacy transaction by GET":                      {"GET", "/transactions/1", "", both, 405, "M_UNRECOGNIZED"},
		"the bot":                                          {"GET", v1 + "/users/" + bot, "", both, 200, ""},
		"the bot, escaped":                                 {"GET", v1 + "/users/%40registration-bot%3Aexample.com", "", both, 200, ""},
		"the bot on the legacy path":                       {"GET", "/users/%40registration-bot%3Aexample.com", "", both, 200, ""},
		"somebody else":                                    {"GET", v1 + "/users/@registration-bot2:example.com", "", both, 404, "M_NOT_FOUND"},
		"somebody with a slash":                            {"GET", v1 + "/users/@a%2Fb:example.com", "", both, 404, "M_NOT_FOUND"},
		"the bot without a token":                          {"GET", v1 + "/users/" + bot, "", nil, 401, "M_MISSING_TOKEN"},
		"the bot with a wrong token":                       {"GET", "/users/" + bot, "", bearer("wrong"), 403, "M_FORBIDDEN"},
		"a user by PUT":                                    {"PUT", v1 + "/users/" + bot, "{}", both, 405, "M_UNRECOGNIZED"},
		"a room alias":                                     {"GET", v1 + "/rooms/%23chess%3Aexample.com", "", both, 404, "M_NOT_FOUND"},
		"a room alias on the legacy path":                  {"GET", "/rooms/%23chess%3Aexample.com", "", both, 404, "M_NOT_FOUND"},
		"a room alias with a wrong token":                  {"GET", v1 + "/rooms/%23chess%3Aexample.com", "", bearer("wrong"), 403, "M_FORBIDDEN"},
		"a ping":                                           {"POST", v1 + "/ping", `{"transaction_id":"meow"}`, both, 200, ""},
		"a ping without an id":                             {"POST", v1 + "/ping", `{}`, both, 200, ""},
		"a ping without a token":                           {"POST", v1 + "/ping", `{}`, nil, 401, "M_MISSING_TOKEN"},
		"a ping with a wrong token":                        {"POST", v1 + "/ping", `{}`, bearer("wrong"), 403, "M_FORBIDDEN"},
		"a ping that is not JSON":                          {"POST", v1 + "/ping", `meow`, both, 400, "M_NOT_JSON"},
		"a ping without end":                               {"POST", v1 + "/ping", `{"transaction_id":"` + strings.Repeat("a", maxPingBytes) + `"}`, both, 400, "M_NOT_JSON"},
		"a ping by GET":                                    {"GET", v1 + "/ping", "", both, 405, "M_UNRECOGNIZED"},
		"a ping on a legacy path, which never existed":     {"POST", "/ping", `{}`, both, 404, "M_UNRECOGNIZED"},
		"a third-party protocol":                           {"GET", v1 + "/thirdparty/protocol/irc", "", both, 404, "M_UNRECOGNIZED"},
		"a third-party user":                               {"GET", v1 + "/thirdparty/user/irc", "", both, 404, "M_UNRECOGNIZED"},
		"a path that goes up":                              {"GET", v1 + "/users/../ping", "", both, 404, "M_UNRECOGNIZED"},
		"an unknown path":                                  {"GET", v1 + "/nothing", "", both, 404, "M_UNRECOGNIZED"},
		"an unknown version":                               {"PUT", "/_matrix/app/v2/transactions/1", "{}", both, 404, "M_UNRECOGNIZED"},
		"the root":                                         {"GET", "/", "", nil, 404, "M_UNRECOGNIZED"},
		"a method of our own":                              {"MEOW", v1 + "/ping", "", both, 405, "M_UNRECOGNIZED"},
		"health by POST":                                   {"POST", "/health", "", nil, 405, "M_UNRECOGNIZED"},
		"a transaction with an odd id":                     {"PUT", v1 + "/transactions/a%00%2F%F0%9F%98%80", transactionOf(message("$1")), both, 200, ""},
		"a transaction with a very long id":                {"PUT", v1 + "/transactions/" + strings.Repeat("%01", 5000), transactionOf(message("$1")), both, 200, ""},
		"a transaction with an id that names another path": {"PUT", v1 + "/transactions/..%2Fping", transactionOf(message("$1")), both, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := &inbox{}
			got := do(t, start(t, testConfig(in), defaultLimits()), tc.method, tc.path, tc.body, tc.header)
			if got.status != tc.status {
				t.Errorf("status is %d, want %d: %s", got.status, tc.status, got.body)
			}
			if tc.code == "" && got.body != "{}" {
				t.Errorf("body is %s, want {}", got.body)
			}
			if tc.code != "" && errcode(got.body) != tc.code {
				t.Errorf("body is %s, want an error with code %s", got.body, tc.code)
			}
			if got.length != int64(len(got.body)) {
				t.Errorf("Content-Length is %d, want %d", got.length, len(got.body))
			}
			if kind := got.header.Get("Content-Type"); kind != "application/json" {
				t.Errorf("Content-Type is %q", kind)
			}
			for _, id := range in.transactions {
				if !storable(id) {
					t.Errorf("the inbox got the transaction id %q, which a database may refuse", id)
				}
			}
		})
	}
}

func TestAWrongMethodIsToldTheRightOnes(t *testing.T) {
	s := start(t, testConfig(&inbox{}), defaultLimits())
	for path, want := range map[string]string{
		"/_matrix/app/v1/transactions/1":         "PUT",
		"/users/%40a%2Fb%3Aexample.com":          "GET",
		"/_matrix/app/v1/rooms/%23a%3Ab.example": "GET",
		"/_matrix/app/v1/ping":                   "POST",
	} {
		got := do(t, s, http.MethodDelete, path, "", bearer(hsToken)).header.Values("Allow")
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%s: Allow is %v, want %s", path, got, want)
		}
	}
}

func TestPingsAreReportedWithTheirID(t *testing.T) {
	var pings []string
	cfg := testConfig(&inbox{})
	cfg.OnPing = func(id string) { pings = append(pings, id) }
	s := start(t, cfg, defaultLimits())
	for _, body := range []string{`{"transaction_id":"meow"}`, `{}`, `[]`} {
		do(t, s, http.MethodPost, "/_matrix/app/v1/ping", body, bearer(hsToken))
	}
	do(t, s, http.MethodPost, "/_matrix/app/v1/ping", `{"transaction_id":"forged"}`, bearer("wrong"))
	if !slices.Equal(pings, []string{"meow", ""}) {
		t.Errorf("reported pings: %q", pings)
	}
}

func TestHealthNeedsNoToken(t *testing.T) {
	got := do(t, start(t, testConfig(&inbox{}), defaultLimits()), http.MethodGet, "/health", "", nil)
	if got.status != http.StatusOK || got.body != `{"status":"ok"}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestReadyTellsHowThePartsAre(t *testing.T) {
	state := Readiness{Ready: true, Database: "ok", Homeserver: "away", WayBack: "unknown", TokenAPI: "closed"}
	cfg := testConfig(&inbox{})
	cfg.Ready = func(ctx context.Context) Readiness {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("the look-up has no time limit")
		}
		return state
	}
	s := start(t, cfg, defaultLimits())

	got := do(t, s, http.MethodGet, "/ready", "", nil)
	want := `{"listening":"ok","ready":true,"database":"ok","homeserver":"away","way_back":"unknown","token_api":"closed"}`
	if got.status != http.StatusOK || got.body != want {
		t.Errorf("ready: got %d %s, want 200 %s", got.status, got.body, want)
	}
	state.Ready, state.Database = false, strings.Repeat("read-only ", 1000)
	got = do(t, s, http.MethodGet, "/ready", "", nil)
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `"database":"read-only `) || got.length != int64(len(got.body)) {
		t.Errorf("not ready: got %d (length %d) %s", got.status, got.length, got.body)
	}
}

func TestAnAnswerToHTTP10HasItsLength(t *testing.T) {
	s := start(t, testConfig(&inbox{}), defaultLimits())
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err = io.WriteString(conn, "PUT /transactions/1?access_token="+hsToken+" HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.ContentLength != 2 {
		t.Errorf("got %d with length %d", res.StatusCode, res.ContentLength)
	}
}

func TestAPanicInAHandlerIsAnErrorOfThatRequestAlone(t *testing.T) {
	log := &logBuffer{}
	in := &inbox{onAccept: func(context.Context) error { panic("a mistake") }}
	cfg := testConfig(in)
	cfg.Log = cfg.Log.Output(log).Level(0)
	s := start(t, cfg, defaultLimits())
	got := push(t, s, "1", transactionOf(message("$1")))
	if got.status != http.StatusInternalServerError || errcode(got.body) != "M_UNKNOWN" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if text := log.String(); !strings.Contains(text, "a mistake") || !strings.Contains(text, "fixture_test.go") {
		t.Errorf("the log lacks the panic or its stack: %s", text)
	}
	in.onAccept = nil
	if got = push(t, s, "1", transactionOf(message("$1"))); got.status != http.StatusOK {
		t.Errorf("the next request: got %d %s", got.status, got.body)
	}
}
