package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// synapse is the registration token API of Synapse
// (https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html).
type synapse struct{ client *client }

const synapseTokens = "/_synapse/admin/v1/registration_tokens"

// synapseToken is a token on the wire.
type synapseToken struct {
	Token       string `json:"token"`
	UsesAllowed *int   `json:"uses_allowed"`
	Pending     int    `json:"pending"`
	Completed   int    `json:"completed"`
	ExpiryTime  *int64 `json:"expiry_time"` // Unix time in milliseconds
}

// synapseSpec is the body of POST .../new; what is absent is without limit.
type synapseSpec struct {
	Token       string `json:"token"`
	UsesAllowed *int   `json:"uses_allowed,omitempty"`
	ExpiryTime  *int64 `json:"expiry_time,omitempty"`
}

// List asks GET /registration_tokens, which has no pages.
func (s *synapse) List(ctx context.Context) ([]Token, error) {
	const op = "list tokens"
	answer, err := do[struct {
		Tokens []synapseToken `json:"registration_tokens"`
	}](ctx, s.client, call{op: op, method: http.MethodGet, path: synapseTokens})
	if err != nil {
		return nil, err
	}
	if answer.Tokens == nil { // "no tokens" is an empty list
		return nil, &Error{Kind: ErrNoAPI, Op: op, Cause: errors.New("there is no list of tokens in the answer")}
	}
	list := make([]Token, len(answer.Tokens))
	for i, token := range answer.Tokens {
		list[i] = token.token()
	}
	return list, nil
}

// Get asks GET /registration_tokens/{token}.
func (s *synapse) Get(ctx context.Context, text string) (Token, error) {
	const op = "show token"
	if !nameable(text) {
		return Token{}, &Error{Kind: ErrNotFound, Op: op}
	}
	answer, err := do[synapseToken](ctx, s.client, call{
		op: op, method: http.MethodGet, path: synapseTokens + "/" + escape(text), text: text,
	})
	if err != nil {
		return Token{}, err
	}
	if answer.Token != text { // a proxy that rewrites paths
		return Token{}, &Error{Kind: ErrNoAPI, Op: op, Cause: errors.New("the answer is about something else")}
	}
	return answer.token(), nil
}

// Create asks POST /registration_tokens/new.
func (s *synapse) Create(ctx context.Context, spec Spec) (Token, error) {
	const op = "create token"
	if err := Validate(spec.Text); err != nil {
		return Token{}, &Error{Kind: ErrBadText, Op: op, Cause: err}
	}
	// Synapse takes 0 and then treats it as "no limit".
	if spec.Uses != nil && *spec.Uses < 1 {
		return Token{}, &Error{Kind: ErrRefused, Op: op, Cause: fmt.Errorf("uses must be at least 1, not %d", *spec.Uses)}
	}
	body := synapseSpec{Token: spec.Text, UsesAllowed: spec.Uses}
	if spec.Expires != nil {
		expiry := spec.Expires.UnixMilli()
		body.ExpiryTime = &expiry
	}
	answer, err := do[synapseToken](ctx, s.client, call{
		op: op, method: http.MethodPost, path: synapseTokens + "/new", body: body, text: spec.Text,
	})
	if err != nil {
		return Token{}, err
	}
	if answer.Token != spec.Text {
		return Token{}, &Error{Kind: ErrUnknownOutcome, Op: op, Cause: errors.New("the answer is about something else")}
	}
	return answer.token(), nil
}

// Delete asks DELETE /registration_tokens/{token}.
func (s *synapse) Delete(ctx context.Context, text string) error {
	const op = "delete token"
	if !nameable(text) {
		return &Error{Kind: ErrNotFound, Op: op}
	}
	_, err := do[struct{}](ctx, s.client, call{
		op: op, method: http.MethodDelete, path: synapseTokens + "/" + escape(text), text: text,
	})
	return err
}

// lastExpiry is the last moment that JSON and people can write.
var lastExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func (t synapseToken) token() Token {
	token := Token{Text: t.Token, Uses: t.UsesAllowed, Pending: t.Pending, Completed: t.Completed}
	// Synapse lets everybody register with a token of 0 uses, whatever its
	// documentation says. Better to show what such a token does.
	if t.UsesAllowed != nil && *t.UsesAllowed == 0 {
		token.Uses = nil
	}
	if t.ExpiryTime != nil {
		expires := time.UnixMilli(*t.ExpiryTime).UTC()
		if expires.After(lastExpiry) {
			expires = lastExpiry
		}
		token.Expires = &expires
	}
	return token
}

// nameable tells whether a request can name the token: not "", which is the
// path of another endpoint, and nothing that no server could have stored.
func nameable(text string) bool {
	const longest = 255 // bytes; foreign tokens may be longer than MaxLength
	return text != "" && len(text) <= longest && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// escape percent-encodes every byte of a token for one segment of a path.
// url.PathEscape leaves too much alone: "." and ".." mean other paths, and
// Synapse keeps "new", spelled like that, for another endpoint.
func escape(text string) string {
	var escaped strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&escaped, "%%%02X", text[i])
	}
	return escaped.String()
}
