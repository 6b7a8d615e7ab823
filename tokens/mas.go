package tokens

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// mas is the registration token API of the Matrix Authentication Service
// (https://element-hq.github.io/matrix-authentication-service/api/index.html).
type mas struct {
	auth *masAuth
	ids  IDs
}

const (
	masTokens     = "/api/admin/v1/user-registration-tokens"
	masUsers      = "/api/admin/v1/users"
	masSiteConfig = "/api/admin/v1/site-config"
	masPageSize   = 1000 // MAS has no maximum
	masMostPages  = 100  // about as many tokens as responseLimit allows elsewhere
)

// masItem is a token as it comes; its id is the one by which it is asked for.
type masItem struct {
	ID         string `json:"id"`
	Attributes struct {
		Token      string   `json:"token"`
		UsageLimit *int     `json:"usage_limit"`
		TimesUsed  int      `json:"times_used"`
		LastUsedAt *masTime `json:"last_used_at"`
		ExpiresAt  *masTime `json:"expires_at"`
		RevokedAt  *masTime `json:"revoked_at"`
	} `json:"attributes"`
}

// masSingle is an answer about one token.
type masSingle struct {
	Data masItem `json:"data"`
}

// masList is a page of a list. Its links are no addresses to follow: they lack
// the prefix of MAS's listener.
type masList[T any] struct {
	Data  []T `json:"data"`
	Links *struct {
		Next string `json:"next"`
	} `json:"links"`
}

// masSpec is the body of a creation or a change; null is without limit.
type masSpec struct {
	Token      string  `json:"token,omitempty"` // a creation only
	UsageLimit *int    `json:"usage_limit"`
	ExpiresAt  *string `json:"expires_at"` // RFC 3339 with its zone
}

// Abilities of MAS.
func (m *mas) Abilities() Abilities {
	return Abilities{Kind: KindMAS, Revokes: true, LastUser: true, SignUp: m.auth.signUpPage()}
}

// List reads GET /user-registration-tokens to the end.
func (m *mas) List(ctx context.Context) ([]Token, error) { return m.list(ctx, url.Values{}) }

// ListValid reads GET /user-registration-tokens?filter[valid]=true: on MAS all
// tokens that there ever were stay in the list.
func (m *mas) ListValid(ctx context.Context) ([]Token, error) {
	return m.list(ctx, url.Values{"filter[valid]": {"true"}})
}

func (m *mas) list(ctx context.Context, filter url.Values) ([]Token, error) {
	list := []Token{}
	for item, err := range m.items(ctx, "list tokens", filter) {
		if err != nil {
			return nil, err
		}
		list = append(list, item.token())
	}
	return list, nil
}

// items are all tokens, oldest first. Pages begin after an item, whatever is
// made or revoked meanwhile.
func (m *mas) items(ctx context.Context, op string, filter url.Values) iter.Seq2[masItem, error] {
	query := url.Values{"page[first]": {strconv.Itoa(masPageSize)}, "count": {"false"}}
	for name, values := range filter {
		query[name] = values
	}
	return func(yield func(masItem, error) bool) {
		for range masMostPages {
			page, err := ask[masList[masItem]](ctx, m, call{op: op, method: http.MethodGet, path: masTokens, query: query})
			if err == nil && page.Links == nil {
				err = &Error{Kind: ErrNoAdminAPI, Op: op, Cause: errors.New("there is no list of tokens in the answer")}
			}
			if err != nil {
				yield(masItem{}, err)
				return
			}
			for _, item := range page.Data {
				if !yield(item, nil) {
					return
				}
			}
			if page.Links.Next == "" || len(page.Data) == 0 {
				return
			}
			query.Set("page[after]", page.Data[len(page.Data)-1].ID)
		}
		yield(masItem{}, &Error{Kind: ErrUnknownOutcome, Op: op, Cause: fmt.Errorf("the list has more than %d pages", masMostPages)})
	}
}

// Get asks GET /user-registration-tokens/{id}, or looks for the token in the list.
func (m *mas) Get(ctx context.Context, text string) (Token, error) {
	item, err := m.find(ctx, "show token", text)
	if err != nil {
		return Token{}, err
	}
	return item.token(), nil
}

// find looks a token up by its text, which MAS can't.
func (m *mas) find(ctx context.Context, op, text string) (masItem, error) {
	// What the cache can't say, and what it says wrongly, the list says.
	if id, _ := m.ids.TokenID(ctx, text); id != "" {
		found, err := ask[masSingle](ctx, m, call{op: op, method: http.MethodGet, path: masTokens + "/" + url.PathEscape(id)})
		if err == nil && found.Data.Attributes.Token == text {
			return found.Data, nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return masItem{}, err
		}
	}
	for item, err := range m.items(ctx, op, nil) {
		if err != nil {
			return masItem{}, err
		}
		if item.Attributes.Token == text {
			m.remember(ctx, item)
			return item, nil
		}
	}
	return masItem{}, &Error{Kind: ErrNotFound, Op: op}
}

func (m *mas) remember(ctx context.Context, item masItem) {
	_ = m.ids.SaveTokenID(ctx, item.Attributes.Token, item.ID) // it is found without, only slower
}

// Create asks POST /user-registration-tokens.
func (m *mas) Create(ctx context.Context, spec Spec) (Token, error) {
	const op = "create token"
	if err := spec.checkNew(op); err != nil {
		return Token{}, err
	}
	body := newMASSpec(spec)
	body.Token = spec.Text
	return m.change(ctx, spec.Text, call{op: op, method: http.MethodPost, path: masTokens, body: body})
}

// Update asks PUT /user-registration-tokens/{id}.
func (m *mas) Update(ctx context.Context, spec Spec) (Token, error) {
	const op = "change token"
	if err := spec.check(op); err != nil {
		return Token{}, err
	}
	item, err := m.find(ctx, op, spec.Text)
	if err != nil {
		return Token{}, prepared(op, err)
	}
	return m.change(ctx, spec.Text, call{op: op, method: http.MethodPut, path: item.path(), body: newMASSpec(spec)})
}

// Delete asks POST /user-registration-tokens/{id}/revoke. A token that is
// revoked already gives ErrRevoked.
func (m *mas) Delete(ctx context.Context, text string) error {
	const op = "revoke token"
	_, err := m.switchTo(ctx, op, "/revoke", text, true, ErrRevoked)
	return err
}

// Restore asks POST /user-registration-tokens/{id}/unrevoke.
func (m *mas) Restore(ctx context.Context, text string) (Token, error) {
	return m.switchTo(ctx, "restore token", "/unrevoke", text, false, ErrNotRevoked)
}

// switchTo revokes a token, or takes that back. already is the kind of error if
// it was so before.
func (m *mas) switchTo(ctx context.Context, op, action, text string, revoked bool, already error) (Token, error) {
	item, err := m.find(ctx, op, text)
	if err != nil {
		return Token{}, prepared(op, err)
	}
	token, err := m.change(ctx, text, call{op: op, method: http.MethodPost, path: item.path() + action})
	if errors.Is(err, ErrRefused) { // with 400, which it has for other things too
		if again, findErr := m.find(ctx, op, text); findErr == nil && again.token().Revoked == revoked {
			err = recast(err, func(e *Error) { e.Kind = already })
		}
	}
	return token, err
}

// change asks for an effect whose answer is the token.
func (m *mas) change(ctx context.Context, text string, call call) (Token, error) {
	call.text = text
	answer, err := ask[masSingle](ctx, m, call)
	if err != nil {
		return Token{}, err
	}
	if answer.Data.Attributes.Token != text {
		return Token{}, &Error{Kind: ErrUnknownOutcome, Op: call.op, Cause: errors.New("the answer is about something else")}
	}
	m.remember(ctx, answer.Data)
	return answer.Data.token(), nil
}

// LastUser asks GET /users for the first account that is not older than the
// last use: MAS makes the account and counts the use together.
func (m *mas) LastUser(ctx context.Context, token Token) (string, error) {
	const (
		op = "find who used the token"
		// With many people at once it was up to 9 ms.
		longest = time.Second
	)
	if token.LastUsed == nil {
		return "", nil
	}
	page, err := ask[masList[struct {
		Attributes struct {
			Username  string    `json:"username"`
			CreatedAt time.Time `json:"created_at"`
		} `json:"attributes"`
	}]](ctx, m, call{op: op, method: http.MethodGet, path: masUsers, query: url.Values{
		"page[after]": {firstULID(*token.LastUsed)}, "page[first]": {"10"}, "count": {"false"},
	}})
	if err != nil {
		return "", err
	}
	for _, user := range page.Data {
		after := user.Attributes.CreatedAt.Sub(*token.LastUsed)
		if after >= 0 && after < longest {
			return user.Attributes.Username, nil
		}
	}
	return "", nil
}

// Close gives the access token back.
func (m *mas) Close(ctx context.Context) error { return m.auth.close(ctx) }

// SignUp asks GET /site-config. What it says of tokens is not the whole truth:
// it knows nothing of MAS's older setting for them, account.registration_token_required.
func (m *mas) SignUp(ctx context.Context) (SignUp, error) {
	config, err := ask[struct {
		Enabled bool `json:"password_registration_enabled"`
		Token   bool `json:"password_registration_token_required"`
		Tokens  bool `json:"registration_token_required"` // its older name
	}](ctx, m, call{op: "find how people sign up", method: http.MethodGet, path: masSiteConfig})
	return SignUp{Open: config.Enabled, WantsTokens: config.Token || config.Tokens}, err
}

// ask asks the admin API, with a new access token once if MAS does not take
// the one at hand.
func ask[T any](ctx context.Context, m *mas, call call) (T, error) {
	for renewed := false; ; renewed = true {
		session, err := m.auth.session(ctx)
		if err != nil {
			var none T
			return none, prepared(call.op, err)
		}
		answer, err := do[T](ctx, session.client, call)
		if err == nil {
			return answer, nil
		}
		if errors.Is(err, ErrBadCredentials) || errors.Is(err, ErrNoAPI) || errors.Is(err, ErrUnreachable) {
			m.auth.forget(session) // also because MAS may have moved
		}
		if errors.Is(err, ErrBadCredentials) && !renewed {
			continue
		}
		return answer, recast(err, func(e *Error) {
			if e.Kind == ErrNoAPI {
				e.Kind = ErrNoAdminAPI
			}
		})
	}
}

// masKind reads an answer of the admin API. Its own errors are JSON, or plain
// text for bodies that it can't read; what else is not found comes as a web
// page from the listener.
func masKind(_ call, status int, said refusalBody) error {
	switch {
	case status == http.StatusUnauthorized:
		return ErrBadCredentials
	case status == http.StatusNotFound && len(said.Errors) > 0:
		return ErrNotFound
	case status == http.StatusConflict:
		return ErrExists
	}
	return nil
}

func newMASSpec(spec Spec) masSpec {
	body := masSpec{UsageLimit: spec.Uses}
	if spec.Expires != nil {
		body.ExpiresAt = new(spec.Expires.UTC().Format(time.RFC3339Nano))
	}
	return body
}

func (i masItem) path() string { return masTokens + "/" + url.PathEscape(i.ID) }

func (i masItem) token() Token {
	return Token{
		Text:      i.Attributes.Token,
		Uses:      i.Attributes.UsageLimit,
		Completed: i.Attributes.TimesUsed,
		Expires:   i.Attributes.ExpiresAt.time(),
		Revoked:   i.Attributes.RevokedAt != nil,
		LastUsed:  i.Attributes.LastUsedAt.time(),
	}
}

// masTime is a time of MAS, which takes and lists years that Go can't read.
type masTime time.Time

// UnmarshalJSON reads RFC 3339; everything else is the far future.
func (t *masTime) UnmarshalJSON(text []byte) error {
	parsed, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(text))
	if err != nil || parsed.After(lastExpiry) {
		parsed = lastExpiry
	}
	*t = masTime(parsed.UTC())
	return nil
}

func (t *masTime) time() *time.Time {
	if t == nil {
		return nil
	}
	return new(time.Time(*t))
}

// firstULID is the smallest id of the same millisecond
// (https://github.com/ulid/spec): 48 bits of Unix time, then 80 of chance.
func firstULID(t time.Time) string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var id strings.Builder
	for shift := 45; shift >= 0; shift -= 5 {
		id.WriteByte(alphabet[t.UnixMilli()>>shift&31])
	}
	return fmt.Sprintf("%s%016d", id.String(), 0)
}
