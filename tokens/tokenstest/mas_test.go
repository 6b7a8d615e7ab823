package tokenstest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

const masRoot = "/api/admin/v1/user-registration-tokens"

// say asks a server and returns status, content type and body.
func say(server http.Handler, method, uri string, header http.Header, body string) (int, string, string) {
	request := httptest.NewRequest(method, uri, strings.NewReader(body))
	for name, values := range header {
		request.Header[name] = values
	}
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, request)
	return answer.Code, answer.Header().Get("Content-Type"), answer.Body.String()
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
}

// Facts of the real MAS: see the tables of its token endpoint and admin API.
func TestBodiesThatMASRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`{`:                                                "400 text/plain Failed to parse",
		`["a"]`:                                            "400 text/plain Failed to parse",
		`{"token":1}`:                                      "422 text/plain Failed to deserialize",
		`{"token":"a","usage_limit":-1}`:                   "422 text/plain Failed to deserialize",
		`{"token":"a","usage_limit":1.0}`:                  "422 text/plain Failed to deserialize",
		`{"token":"a","usage_limit":"1"}`:                  "422 text/plain Failed to deserialize",
		`{"token":"a","usage_limit":true}`:                 "422 text/plain Failed to deserialize",
		`{"token":"a","usage_limit":4294967296}`:           "422 text/plain Failed to deserialize",
		`{"token":"a","usage_limit":2147483648}`:           `500 application/json {"errors"`,
		`{"token":"a","expires_at":"2026-12-24"}`:          "422 text/plain Failed to deserialize",
		`{"token":"a","expires_at":"2026-12-24T18:00:00"}`: "422 text/plain Failed to deserialize",
		`{"token":"a","expires_at":1766599200}`:            "422 text/plain Failed to deserialize",
		`{"token":"a\u0000"}`:                              `500 application/json {"errors"`,
		`{"token":"taken"}`:                                `409 application/json {"errors":[{"title":"A registration token with the same token already exists"}]}`,
		`{"token":"a","uses":1}`:                           "422 text/plain Failed to deserialize",
		`{}`:                                               "422 text/plain tokenstest: clients draw",
		`{"token":"a","usage_limit":0}`:                    `201 application/json {"data"`,
		`{"token":"","usage_limit":2147483647}`:            `201 application/json {"data"`,
		`{"token":"a b","expires_at":"2020-01-01T00:00:00+01:00"}`: `201 application/json {"data"`,
	} {
		mas := tokenstest.NewMAS(t, tokenstest.MASOptions{})
		mas.AllowOddRequests()
		mas.Put(tokens.Token{Text: "taken"})
		status, kind, answer := say(mas.Public, http.MethodPost, masRoot, bearer(tokenstest.MASPersonalToken), body)
		kind, _, _ = strings.Cut(kind, ";")
		if got := fmt.Sprint(status, " ", kind, " ", answer); !strings.HasPrefix(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", body, got, want)
		}
	}
}

func TestRequestsThatMASRefuses(t *testing.T) {
	admin := bearer(tokenstest.MASPersonalToken)
	one := masRoot + "/01ARZ3NDEKTSV4RRFFQ69G5FAV"
	for name, test := range map[string]struct {
		method, uri string
		header      http.Header
		want        string
	}{
		"no authorization":        {"GET", masRoot, nil, `400 application/json {"errors":[{"title":"Missing authorization header"}]}`},
		"another scheme":          {"GET", masRoot, http.Header{"Authorization": {"Basic eA=="}}, `400 application/json {"errors":[{"title":"Invalid authorization header"}]}`},
		"an empty token":          {"GET", masRoot, bearer(""), `400 application/json {"errors":[{"title":"Invalid authorization header"}]}`},
		"an as_token":             {"GET", masRoot, bearer(tokenstest.ASToken), `401 application/json {"errors":[{"title":"Invalid type of access token"}]}`},
		"a token in the query":    {"GET", masRoot + "?access_token=" + tokenstest.MASPersonalToken, nil, `400 application/json {"errors":[{"title":"Missing authorization header"}]}`},
		"deleting":                {"DELETE", one, admin, `405  `},
		"a trailing slash":        {"GET", masRoot + "/", admin, `404 text/html <html>`},
		"an unknown path":         {"GET", "/api/admin/v1/nothing", admin, `404 text/html <html>`},
		"a text instead of an id": {"GET", masRoot + "/abc", admin, `400 application/json {"errors":[{"title":"Invalid ULID in path"}]}`},
		"an unknown id":           {"GET", one, admin, `404 application/json {"errors":[{"title":"Registration token with ID 01ARZ3NDEKTSV4RRFFQ69G5FAV not found"}]}`},
		"a body of no type":       {"POST", masRoot, http.Header{"Authorization": admin["Authorization"]}, `415 text/plain Expected request with`},
		"no page":                 {"GET", masRoot + "?page[first]=0", admin, `400 application/json {"errors"`},
		"two pages":               {"GET", masRoot + "?page[first]=1&page[first]=1", admin, `400 application/json {"errors"`},
		"both ends":               {"GET", masRoot + "?page[first]=1&page[last]=1", admin, `400 application/json {"errors"`},
		"a filter of other words": {"GET", masRoot + "?filter[valid]=yes", admin, `400 application/json {"errors"`},
		"an unknown filter":       {"GET", masRoot + "?filter[token]=x", admin, `400 application/json {"errors":[{"title":"tokenstest: unknown parameter`},
		"an empty cursor":         {"GET", masRoot + "?page[after]=", admin, `200 application/json {"data":[]`},
		"an id in small letters":  {"GET", strings.ToLower(one), admin, `404 application/json {"errors":[{"title":"Registration token with ID 01ARZ3NDEKTSV4RRFFQ69G5FAV not found"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			mas := tokenstest.NewMAS(t, tokenstest.MASOptions{})
			mas.AllowOddRequests()
			status, kind, answer := say(mas.Public, test.method, test.uri, test.header, "")
			kind, _, _ = strings.Cut(kind, ";")
			if got := fmt.Sprint(status, " ", kind, " ", answer); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestClientsThatMASRefuses(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	good := url.Values{"grant_type": {"client_credentials"}, "scope": {"urn:mas:admin"}}
	with := func(name string, values ...string) url.Values {
		changed := url.Values{}
		for name, values := range good {
			changed[name] = values
		}
		if changed[name] = values; len(values) == 0 {
			delete(changed, name)
		}
		return changed
	}
	for name, test := range map[string]struct {
		contentType, id, secret string
		body                    string
		want                    string
	}{
		"as it should be":        {form, tokenstest.MASClientID, tokenstest.MASClientSecret, good.Encode(), `200 {"access_token":"mat_`},
		"no credentials":         {form, "", "", good.Encode(), `400 {"error":"invalid_request","error_description":"No credentials were presented"}`},
		"a wrong secret":         {form, tokenstest.MASClientID, "wrong", good.Encode(), `401 {"error":"invalid_client","error_description":"Client authentication failed."}`},
		"an encoded secret":      {form, tokenstest.MASClientID, url.QueryEscape(tokenstest.MASClientSecret), good.Encode(), `401 {"error":"invalid_client"`},
		"an unknown client":      {form, "nobody", tokenstest.MASClientSecret, good.Encode(), `401 {"error":"invalid_client"`},
		"another scope":          {form, tokenstest.MASClientID, tokenstest.MASClientSecret, with("scope", "urn:synapse:admin:*").Encode(), `403 {"error":"invalid_scope","error_description":"scope 'urn:synapse:admin:*' not allowed"}`},
		"an empty scope":         {form, tokenstest.MASClientID, tokenstest.MASClientSecret, with("scope", "").Encode(), `500 {"error":"server_error"}`},
		"no scope":               {form, tokenstest.MASClientID, tokenstest.MASClientSecret, with("scope").Encode(), `200 {"access_token":"mat_`},
		"another grant":          {form, tokenstest.MASClientID, tokenstest.MASClientSecret, with("grant_type", "password").Encode(), `400 {"error":"unsupported_grant_type"}`},
		"a body of JSON":         {"application/json", tokenstest.MASClientID, tokenstest.MASClientSecret, `{"grant_type":"client_credentials"}`, `400 {"error":"invalid_request"}`},
		"nothing":                {form, tokenstest.MASClientID, tokenstest.MASClientSecret, "", `400 {"error":"invalid_request"}`},
		"the secret in the form": {form, "", "", good.Encode() + "&client_id=" + tokenstest.MASClientID + "&client_secret=" + url.QueryEscape(tokenstest.MASClientSecret), `401 {"error":"invalid_client"`},
	} {
		t.Run(name, func(t *testing.T) {
			mas := tokenstest.NewMAS(t, tokenstest.MASOptions{})
			request := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(test.body))
			request.Header.Set("Content-Type", test.contentType)
			if test.id != "" {
				request.SetBasicAuth(test.id, test.secret)
			}
			answer := httptest.NewRecorder()
			mas.Public.ServeHTTP(answer, request)
			if got := fmt.Sprint(answer.Code, " ", answer.Body); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestPagesOfMAS(t *testing.T) {
	mas := tokenstest.NewMAS(t, tokenstest.MASOptions{Prefix: "/auth"})
	for n := range 12 {
		mas.Put(tokens.Token{Text: fmt.Sprint(n)})
	}
	page := func(query string) (texts, ids []string, answer map[string]any) {
		_, _, body := say(mas.Public, http.MethodGet, "/auth"+masRoot+query, bearer(tokenstest.MASPersonalToken), "")
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		items, _ := answer["data"].([]any)
		for _, item := range items {
			item := item.(map[string]any)
			ids = append(ids, item["id"].(string))
			texts = append(texts, item["attributes"].(map[string]any)["token"].(string))
		}
		return texts, ids, answer
	}
	first, ids, answer := page("")
	if len(first) != 10 || first[0] != "0" || fmt.Sprint(answer["meta"]) != "map[count:12]" {
		t.Errorf("the first page has %v and %v", first, answer["meta"])
	}
	if next := fmt.Sprint(answer["links"].(map[string]any)["next"]); !strings.HasPrefix(next, masRoot+"?") {
		t.Errorf("the next page is %s: links lack the prefix", next)
	}
	rest, _, answer := page("?count=false&page[after]=" + ids[9])
	if fmt.Sprint(rest) != "[10 11]" || answer["meta"] != nil || answer["links"].(map[string]any)["next"] != nil {
		t.Errorf("the last page has %v, %v, %v", rest, answer["meta"], answer["links"])
	}
	if newest, _, _ := page("?page[last]=2"); fmt.Sprint(newest) != "[10 11]" {
		t.Errorf("the newest are %v", newest)
	}
	if before, _, _ := page("?page[first]=5&page[before]=" + ids[2]); fmt.Sprint(before) != "[0 1]" {
		t.Errorf("before the third there are %v", before)
	}
	if none, _, answer := page("?count=only"); none != nil || answer["data"] != nil {
		t.Errorf("only counting gives %v", answer)
	}
}

func TestTimesOfMASLoseTheirNanoseconds(t *testing.T) {
	mas := tokenstest.NewMAS(t, tokenstest.MASOptions{})
	admin := bearer(tokenstest.MASPersonalToken)
	_, _, made := say(mas.Public, http.MethodPost, masRoot, admin, `{"token":"a","expires_at":"2036-01-01T00:00:00.123456789+01:00"}`)
	if !strings.Contains(made, `"expires_at":"2035-12-31T23:00:00.123456Z"`) {
		t.Errorf("got %s", made)
	}
	if token := mas.Tokens()[0]; token.Expires == nil || token.Expires.Nanosecond() != 123456000 {
		t.Errorf("kept is %v", token.Expires)
	}
}

func TestUsingATokenOfMAS(t *testing.T) {
	mas := tokenstest.NewMAS(t, tokenstest.MASOptions{})
	mas.Put(tokens.Token{Text: "a", Uses: new(1)})
	mas.Register("anna", "a")
	_, _, list := say(mas.Public, http.MethodGet, masRoot+"?filter[valid]=false&filter[used]=true", bearer(tokenstest.MASPersonalToken), "")
	if !strings.Contains(list, `"times_used":1`) || !strings.Contains(list, `"valid":false`) {
		t.Errorf("the list is %s", list)
	}
	_, _, users := say(mas.Public, http.MethodGet, "/api/admin/v1/users", bearer(tokenstest.MASPersonalToken), "")
	if !strings.Contains(users, `"username":"anna"`) {
		t.Errorf("the users are %s", users)
	}
}

// spoiled notes what a test would fail of.
type spoiled struct {
	testing.TB
	errors []string
}

func (s *spoiled) Helper() {}

func (s *spoiled) Error(args ...any) { s.errors = append(s.errors, fmt.Sprint(args...)) }

func (s *spoiled) Errorf(format string, args ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}

func TestWhatTheDocumentDoesNotAllowFailsTheTest(t *testing.T) {
	for name, request := range map[string]struct{ method, uri, body string }{
		"a path that is none":     {"GET", "/api/admin/v1/tokens", ""},
		"a method that is none":   {"DELETE", masRoot + "/01ARZ3NDEKTSV4RRFFQ69G5FAV", ""},
		"a text instead of an id": {"GET", masRoot + "/abc", ""},
		"a negative page":         {"GET", masRoot + "?page[first]=-1", ""},
		"a date without a time":   {"POST", masRoot, `{"token":"a","expires_at":"2036-01-01"}`},
		"a text for a number":     {"POST", masRoot, `{"token":"a","usage_limit":"1"}`},
		"no body":                 {"POST", masRoot, ``},
	} {
		t.Run(name, func(t *testing.T) {
			noted := &spoiled{TB: t}
			mas := tokenstest.NewMAS(noted, tokenstest.MASOptions{})
			say(mas.Public, request.method, request.uri, bearer(tokenstest.MASPersonalToken), request.body)
			if len(noted.errors) == 0 {
				t.Error("it was allowed")
			}
		})
	}
}

func TestAnAccessTokenOfMASEnds(t *testing.T) {
	mas := tokenstest.NewMAS(t, tokenstest.MASOptions{Lifetime: time.Hour})
	request := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader("grant_type=client_credentials&scope=urn:mas:admin"))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(tokenstest.MASClientID, tokenstest.MASClientSecret)
	answer := httptest.NewRecorder()
	mas.Public.ServeHTTP(answer, request)
	var grant struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&grant); err != nil || grant.ExpiresIn != 3600 {
		t.Fatalf("got %+v, %v", grant, err)
	}
	if status, _, body := say(mas.Public, http.MethodGet, masRoot, bearer(grant.AccessToken), ""); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	revoke := httptest.NewRequest(http.MethodPost, "/oauth2/revoke", strings.NewReader("token="+grant.AccessToken))
	revoke.Header = request.Header
	gone := httptest.NewRecorder()
	mas.Public.ServeHTTP(gone, revoke)
	if body, _ := io.ReadAll(gone.Body); gone.Code != 200 || len(body) != 0 {
		t.Errorf("giving it back: %d %s", gone.Code, body)
	}
	if status, _, body := say(mas.Public, http.MethodGet, masRoot, bearer(grant.AccessToken), ""); status != 401 || !strings.Contains(body, "Access token revoked") {
		t.Errorf("%d %s", status, body)
	}
}
