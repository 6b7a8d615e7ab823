package tokenstest_test

import (
	"net/http"
	"testing"

	"matrix-registration-bot/tokens/tokenstest"
)

func TestDendriteAnswersAsDendrite(t *testing.T) {
	const root = "/_dendrite/admin/registrationTokens"
	dendrite := tokenstest.StartDendrite(t)
	for _, step := range []struct {
		what, method, uri, token, body string
		status                         int
		want                           string
	}{
		{"no access token", "GET", root, "", "", 401, "M_MISSING_TOKEN missing access token"},
		{"the as_token", "GET", root, tokenstest.ASToken, "", 403, "M_FORBIDDEN This API can only be used by admin users."},
		{"a wrong one", "GET", root, "x", "", 401, "M_UNKNOWN_TOKEN Unknown token"},
		{"an empty list", "GET", root, tokenstest.AdminToken, "", 200, " "},
		{"a new token", "POST", root + "/new", tokenstest.AdminToken, `{"token":"a","uses_allowed":1}`, 200, " "},
		{"the same again", "POST", root + "/new", tokenstest.AdminToken, `{"token":"a"}`, 409, " token: a already exists"},
		{"a past expiry", "POST", root + "/new", tokenstest.AdminToken, `{"token":"b","expiry_time":1}`, 400, "M_BAD_JSON expiry_time must not be in the past"},
		{"an unknown field", "POST", root + "/new", tokenstest.AdminToken, `{"token":"b","uses":1}`, 400, `M_BAD_JSON Failed to decode request body: json: unknown field "uses"`},
		{"reading it", "GET", root + "/%61", tokenstest.AdminToken, "", 200, " "},
		{"reading another", "GET", root + "/b", tokenstest.AdminToken, "", 404, "M_NOT_FOUND token: b not found"},
		{"changing another", "PUT", root + "/b", tokenstest.AdminToken, `{"uses_allowed":1}`, 404, "M_NOT_FOUND token: b not found"},
		{"deleting another", "DELETE", root + "/b", tokenstest.AdminToken, "", 200, " "},
		{"Synapse's path", "GET", "/_synapse/admin/v1/registration_tokens", tokenstest.AdminToken, "", 404, "M_UNRECOGNIZED Unrecognized request"},
		{"MAS's metadata", "GET", "/_matrix/client/v1/auth_metadata", "", "", 404, "M_UNRECOGNIZED Unrecognized request"},
	} {
		if status, got := ask(dendrite, step.method, step.uri, step.token, step.body); status != step.status || got != step.want {
			t.Errorf("%s: got %d %q, want %d %q", step.what, status, got, step.status, step.want)
		}
	}
	if _, _, list := say(tokenstest.StartDendrite(t), http.MethodGet, root, bearer(tokenstest.AdminToken), ""); list != `{"registration_tokens":null}` {
		t.Errorf("an empty list is %s", list)
	}
}
