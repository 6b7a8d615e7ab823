package tokenstest

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"matrix-registration-bot/tokens"
)

const masTokens = "/api/admin/v1/user-registration-tokens"

// admin is the admin API of MAS.
func (s *MAS) admin(w http.ResponseWriter, r *http.Request, path string) {
	handlers := map[string]func(){}
	id, action, _ := strings.Cut(strings.TrimPrefix(path, masTokens+"/"), "/")
	switch {
	case path == "/api/admin/v1/version":
		handlers[http.MethodGet] = func() { write(w, http.StatusOK, map[string]string{"version": "v1.22.0"}) }
	case path == "/api/admin/v1/site-config":
		handlers[http.MethodGet] = func() { write(w, http.StatusOK, siteConfig(s.signUp)) }
	case path == "/api/admin/v1/users":
		handlers[http.MethodGet] = func() { s.listUsers(w, r) }
	case path == masTokens:
		handlers[http.MethodGet] = func() { s.listTokens(w, r) }
		handlers[http.MethodPost] = func() { s.addToken(w, r) }
	case !strings.HasPrefix(path, masTokens+"/"), id == "", strings.HasSuffix(path, "/"):
		Page(http.StatusNotFound)(w, r, nil)
		return
	case action == "":
		handlers[http.MethodGet] = func() { s.oneToken(w, id, s.showToken) }
		handlers[http.MethodPut] = func() { s.oneToken(w, id, func(w http.ResponseWriter, t *masToken) { s.editToken(w, r, t) }) }
	case action == "revoke":
		handlers[http.MethodPost] = func() { s.oneToken(w, id, s.revokeToken) }
	case action == "unrevoke":
		handlers[http.MethodPost] = func() { s.oneToken(w, id, s.unrevokeToken) }
	default:
		Page(http.StatusNotFound)(w, r, nil)
		return
	}
	handle, ok := handlers[r.Method]
	if !ok {
		w.WriteHeader(http.StatusMethodNotAllowed) // with an empty body
		return
	}
	if s.authorized(w, r) {
		handle()
	}
}

func siteConfig(how tokens.SignUp) map[string]any {
	return map[string]any{
		"server_name": "example.com", "password_login_enabled": true, "password_registration_enabled": how.Open,
		"password_registration_email_required": false, "password_registration_token_required": how.WantsTokens,
		"registration_token_required": how.WantsTokens, "email_change_allowed": true, "displayname_change_allowed": true,
		"password_change_allowed": true, "account_recovery_allowed": false, "account_deactivation_allowed": true,
		"captcha_enabled": false, "minimum_password_complexity": 3,
	}
}

// oneToken finds the token of a path.
func (s *MAS) oneToken(w http.ResponseWriter, id string, handle func(http.ResponseWriter, *masToken)) {
	id = strings.ToUpper(id)
	if !isULID(id) {
		refuseMAS(w, http.StatusBadRequest, "Invalid ULID in path")
		return
	}
	for _, token := range s.tokens {
		if token.id == id {
			handle(w, token)
			return
		}
	}
	refuseMAS(w, http.StatusNotFound, fmt.Sprintf("Registration token with ID %s not found", id))
}

func (s *MAS) showToken(w http.ResponseWriter, token *masToken) {
	write(w, http.StatusOK, single(token))
}

func (s *MAS) revokeToken(w http.ResponseWriter, token *masToken) {
	if token.revoked != nil {
		refuseMAS(w, http.StatusBadRequest, fmt.Sprintf("Registration token with ID %s is already revoked", token.id))
		return
	}
	exact := time.Now().UTC()
	answer := *token
	answer.revoked = &exact // with nanoseconds, this once
	token.revoked = new(exact.Truncate(time.Microsecond))
	write(w, http.StatusOK, single(&answer))
}

func (s *MAS) unrevokeToken(w http.ResponseWriter, token *masToken) {
	if token.revoked == nil {
		refuseMAS(w, http.StatusBadRequest, fmt.Sprintf("Registration token with ID %s is not revoked", token.id))
		return
	}
	token.revoked = nil
	write(w, http.StatusOK, single(token))
}

func (s *MAS) addToken(w http.ResponseWriter, r *http.Request) {
	body, ok := readMAS(w, r, "token", "usage_limit", "expires_at")
	if !ok {
		return
	}
	text, given := body.texts["token"]
	switch {
	case !given:
		plain(w, http.StatusUnprocessableEntity, "tokenstest: clients draw their tokens themselves")
		return
	case s.find(text) != nil:
		refuseMAS(w, http.StatusConflict, "A registration token with the same token already exists")
		return
	case strings.Contains(text, "\x00"), len(text) > 8000:
		refuseMAS(w, http.StatusInternalServerError, "error returned from database")
		return
	}
	exact := time.Now().UTC()
	token := &masToken{id: s.newULID(exact), text: text, created: exact.Truncate(time.Microsecond)}
	body.set(token)
	s.tokens = append(s.tokens, token)
	answer := *token
	answer.created = exact // with nanoseconds, this once
	write(w, http.StatusCreated, single(&answer))
}

func (s *MAS) editToken(w http.ResponseWriter, r *http.Request, token *masToken) {
	if body, ok := readMAS(w, r, "usage_limit", "expires_at"); ok {
		body.set(token)
		write(w, http.StatusOK, single(token))
	}
}

// masBody is a request body: the fields that are there, null being no value.
type masBody struct {
	given   map[string]any
	texts   map[string]string
	uses    *int
	expires *time.Time
}

// readMAS reads a body as axum and serde do, with their answers.
func readMAS(w http.ResponseWriter, r *http.Request, known ...string) (body masBody, ok bool) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType != "application/json" {
		plain(w, http.StatusUnsupportedMediaType, "Expected request with `Content-Type: application/json`")
		return body, false
	}
	raw, _ := io.ReadAll(r.Body) // from memory
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if decoder.Decode(&body.given) != nil || decoder.More() {
		plain(w, http.StatusBadRequest, "Failed to parse the request body as JSON")
		return body, false
	}
	body.texts = map[string]string{}
	for name, value := range body.given {
		wrong := ""
		switch number, isNumber := value.(json.Number); {
		case !slices.Contains(known, name):
			wrong = "tokenstest: unknown field"
		case value == nil:
		case name == "usage_limit":
			n, err := strconv.ParseUint(number.String(), 10, 32)
			switch {
			case !isNumber || err != nil:
				wrong = "expected u32"
			case n > math.MaxInt32:
				refuseMAS(w, http.StatusInternalServerError, "error returned from database")
				return body, false
			}
			body.uses = new(int(n))
		default:
			text, isText := value.(string)
			if !isText {
				wrong = "expected a string"
			}
			body.texts[name] = text
		}
		if text, there := body.texts[name]; there && name == "expires_at" && wrong == "" {
			expires, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				wrong = "input contains invalid characters"
			}
			body.expires = new(expires.UTC().Truncate(time.Microsecond))
		}
		if wrong != "" {
			plain(w, http.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type: "+name+": "+wrong)
			return body, false
		}
	}
	return body, true
}

// set gives the fields that are there to a token.
func (b masBody) set(token *masToken) {
	if _, given := b.given["usage_limit"]; given {
		token.uses = b.uses
	}
	if _, given := b.given["expires_at"]; given {
		token.expires = b.expires
	}
}

func (s *MAS) listTokens(w http.ResponseWriter, r *http.Request) {
	filters := map[string]func(*masToken) bool{
		"filter[used]":    func(t *masToken) bool { return t.used > 0 },
		"filter[revoked]": func(t *masToken) bool { return t.revoked != nil },
		"filter[expired]": func(t *masToken) bool { return t.expires != nil && !time.Now().Before(*t.expires) },
		"filter[valid]":   (*masToken).valid,
	}
	var resources []resource
	for _, token := range s.tokens {
		resources = append(resources, token.resource())
	}
	keep := func(i int, query url.Values) bool {
		for name, is := range filters {
			if want := query.Get(name); want != "" && strconv.FormatBool(is(s.tokens[i])) != want {
				return false
			}
		}
		return true
	}
	paginate(w, r, masTokens, []string{"filter[used]", "filter[revoked]", "filter[expired]", "filter[valid]"}, resources, keep)
}

func (s *MAS) listUsers(w http.ResponseWriter, r *http.Request) {
	const path = "/api/admin/v1/users"
	var resources []resource
	for _, user := range s.users {
		resources = append(resources, newResource("user", user.id, path, map[string]any{
			"username": user.name, "created_at": rfc3339(user.created), "locked_at": nil, "deactivated_at": nil,
			"admin": false, "legacy_guest": false,
		}))
	}
	paginate(w, r, path, nil, resources, func(int, url.Values) bool { return true })
}

// resource is an item of an answer.
type resource map[string]any

func newResource(kind, id, path string, attributes map[string]any) resource {
	return resource{"type": kind, "id": id, "attributes": attributes, "links": map[string]string{"self": path + "/" + id}}
}

func (t *masToken) resource() resource {
	return newResource("user-registration_token", t.id, masTokens, map[string]any{
		"token": t.text, "valid": t.valid(), "usage_limit": t.uses, "times_used": t.used, "created_at": rfc3339(t.created),
		"last_used_at": optional(t.lastUsed), "expires_at": optional(t.expires), "revoked_at": optional(t.revoked),
	})
}

func (t *masToken) valid() bool {
	return t.revoked == nil && (t.expires == nil || time.Now().Before(*t.expires)) && (t.uses == nil || t.used < *t.uses)
}

func single(token *masToken) map[string]any {
	data := token.resource()
	return map[string]any{"data": data, "links": data["links"]}
}

// paginate answers with the page of the resources that the query asks for.
func paginate(w http.ResponseWriter, r *http.Request, path string, filters []string, all []resource, keep func(i int, query url.Values) bool) {
	query := r.URL.Query()
	if wrong := wrongQuery(query, filters); wrong != "" {
		refuseMAS(w, http.StatusBadRequest, wrong)
		return
	}
	var kept []resource
	for i, item := range all {
		if keep(i, query) {
			kept = append(kept, item)
		}
	}
	total := len(kept)
	after, before := query.Get("page[after]"), query.Get("page[before]")
	kept = slices.DeleteFunc(kept, func(item resource) bool {
		id := item["id"].(string)
		return (after != "" && id <= after) || (before != "" && id >= before)
	})
	more := false
	links := map[string]any{"self": path + "?" + query.Encode()}
	if last := query.Get("page[last]"); last != "" {
		n, _ := strconv.Atoi(last) // was checked
		kept = kept[max(0, len(kept)-n):]
	} else {
		n, _ := strconv.Atoi(query.Get("page[first]"))
		if n == 0 {
			n = 10
		}
		more = len(kept) > n
		kept = kept[:min(n, len(kept))]
	}
	for _, item := range kept {
		item["meta"] = map[string]any{"page": map[string]any{"cursor": item["id"]}}
	}
	if more {
		links["next"] = fmt.Sprintf("%s?page[after]=%s", path, kept[len(kept)-1]["id"]) // without the prefix
	}
	answer := map[string]any{"links": links}
	if count := query.Get("count"); count != "false" {
		answer["meta"] = map[string]any{"count": total}
	}
	if query.Get("count") != "only" {
		answer["data"] = append([]resource{}, kept...)
	}
	write(w, http.StatusOK, answer)
}

func wrongQuery(query url.Values, filters []string) string {
	for name, values := range query {
		value := values[0]
		switch {
		case len(values) > 1:
			return "duplicate field " + name
		case name == "page[first]", name == "page[last]":
			if n, err := strconv.ParseUint(value, 10, 64); err != nil || n == 0 {
				return "Invalid pagination parameters: " + name
			}
		case name == "page[after]", name == "page[before]":
			if value != "" && !isULID(value) {
				return "Invalid pagination parameters: " + name
			}
		case name == "count":
			if !slices.Contains([]string{"true", "false", "only"}, value) {
				return "Invalid pagination parameters: " + name
			}
		case slices.Contains(filters, name):
			if value != "true" && value != "false" {
				return "Invalid filter parameters: " + name
			}
		default:
			return "tokenstest: unknown parameter " + name
		}
	}
	if query.Has("page[first]") && query.Has("page[last]") {
		return "Invalid pagination parameters: both first and last"
	}
	return ""
}

var ulid = regexp.MustCompile(`^[0123456789ABCDEFGHJKMNPQRSTVWXYZ]{26}$`)

func isULID(id string) bool { return ulid.MatchString(id) }

// rfc3339 writes a time as chrono does: with 0, 3, 6 or 9 digits after the second.
func rfc3339(t time.Time) string {
	t = t.UTC()
	layout := "2006-01-02T15:04:05"
	switch ns := t.Nanosecond(); {
	case ns%1_000_000_000 == 0:
	case ns%1_000_000 == 0:
		layout += ".000"
	case ns%1_000 == 0:
		layout += ".000000"
	default:
		layout += ".000000000"
	}
	return t.Format(layout + "Z")
}

func optional(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(rfc3339(*t))
}

func refuseMAS(w http.ResponseWriter, status int, title string) {
	write(w, status, map[string]any{"errors": []map[string]string{{"title": title}}})
}

func plain(w http.ResponseWriter, status int, words string) {
	Answer(status, "text/plain; charset=utf-8", words)(w, nil, nil)
}
