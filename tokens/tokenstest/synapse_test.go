package tokenstest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

const root = "/_synapse/admin/v1/registration_tokens"

// The words are Synapse's own, but for the last two.
func TestABodyThatSynapseRefuses(t *testing.T) {
	for body, want := range map[string]string{
		``:                                      "M_NOT_JSON Content not JSON.",
		`{"token":"a"`:                          "M_NOT_JSON Content not JSON.",
		`["a"]`:                                 "M_BAD_JSON Content must be a JSON object.",
		`{"token":null}`:                        "M_INVALID_PARAM token must be a string",
		`{"token":1}`:                           "M_INVALID_PARAM token must be a string",
		`{"token":""}`:                          "M_INVALID_PARAM token must not be empty and must not be longer than 64 characters",
		`{"token":"a b"}`:                       "M_INVALID_PARAM token must consist only of characters matched by the regex [A-Za-z0-9-_]",
		`{"token":"a","uses_allowed":true}`:     "M_INVALID_PARAM uses_allowed must be a non-negative integer or null",
		`{"token":"a","uses_allowed":1.0}`:      "M_INVALID_PARAM uses_allowed must be a non-negative integer or null",
		`{"token":"a","uses_allowed":"1"}`:      "M_INVALID_PARAM uses_allowed must be a non-negative integer or null",
		`{"token":"a","uses_allowed":-1}`:       "M_INVALID_PARAM uses_allowed must be a non-negative integer or null",
		`{"token":"a","expiry_time":1e13}`:      "M_INVALID_PARAM expiry_time must be an integer or null",
		`{"token":"a","expiry_time":1}`:         "M_INVALID_PARAM expiry_time must not be in the past",
		`{"token":"taken"}`:                     "M_INVALID_PARAM Token already exists: taken",
		`{"token":"a","expires":2113754400005}`: "M_BAD_JSON tokenstest: unknown field expires",
		`{"uses_allowed":1}`:                    "M_MISSING_PARAM tokenstest: clients draw their tokens themselves",
	} {
		synapse := tokenstest.NewSynapse()
		synapse.Put(tokens.Token{Text: "taken"})
		if status, got := ask(synapse, http.MethodPost, root+"/new", tokenstest.AdminToken, body); status != 400 || got != want {
			t.Errorf("%s\ngot  %d %s\nwant 400 %s", body, status, got, want)
		}
		if n := len(synapse.Tokens()); n != 1 {
			t.Errorf("%s left %d tokens", body, n)
		}
	}
}

func TestARequestThatSynapseRefuses(t *testing.T) {
	asBot := root + "?user_id=" + tokenstest.BotUser
	for name, test := range map[string]struct {
		method, uri, token string
		status             int
		want               string
	}{
		"no access token":         {"GET", root, "", 401, "M_MISSING_TOKEN Missing access token"},
		"a wrong one":             {"GET", root, "wrong", 401, "M_UNKNOWN_TOKEN Invalid access token passed."},
		"an as_token and no user": {"GET", root, tokenstest.ASToken, 403, "M_FORBIDDEN You are not a server admin"},
		"an as_token, other user": {"GET", root + "?user_id=@x:y", tokenstest.ASToken, 403, "M_FORBIDDEN Application service cannot masquerade as this user (@x:y)."},
		"the bot, as it should":   {"GET", asBot, tokenstest.ASToken, 200, " "},
		"no such token":           {"GET", root + "/abc", tokenstest.AdminToken, 404, "M_NOT_FOUND No such registration token: abc"},
		"deleting no such token":  {"DELETE", root + "/abc", tokenstest.AdminToken, 404, "M_NOT_FOUND No such registration token: abc"},
		"an empty token":          {"GET", root + "/", tokenstest.AdminToken, 404, "M_NOT_FOUND No such registration token: "},
		"a token with a slash":    {"GET", root + "/a%2Fb", tokenstest.AdminToken, 404, "M_NOT_FOUND No such registration token: a/b"},
		"the word new":            {"GET", root + "/new", tokenstest.AdminToken, 405, "M_UNRECOGNIZED Unrecognized request"},
		"the word new, encoded":   {"GET", root + "/%6Eew", tokenstest.AdminToken, 404, "M_NOT_FOUND No such registration token: new"},
		"deleting everything":     {"DELETE", root, tokenstest.AdminToken, 405, "M_UNRECOGNIZED Unrecognized request"},
		"another path":            {"GET", root + "/a/b", tokenstest.AdminToken, 404, "M_UNRECOGNIZED Unrecognized request"},
		"a path that goes up":     {"GET", root + "/../users", tokenstest.AdminToken, 404, "M_UNRECOGNIZED Unrecognized request"},
		"a path that only begins": {"GET", root + "x", tokenstest.AdminToken, 404, "M_UNRECOGNIZED Unrecognized request"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, got := ask(tokenstest.NewSynapse(), test.method, test.uri, test.token, ""); status != test.status || got != test.want {
				t.Errorf("got %d %s, want %d %s", status, got, test.status, test.want)
			}
		})
	}
}

// ask returns the status, and the error code and words of the answer.
func ask(server http.Handler, method, uri, token, body string) (int, string) {
	request := httptest.NewRequest(method, uri, strings.NewReader(body))
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, request)
	var said struct{ Errcode, Error string }
	if err := json.Unmarshal(answer.Body.Bytes(), &said); err != nil {
		return answer.Code, err.Error()
	}
	return answer.Code, said.Errcode + " " + said.Error
}
