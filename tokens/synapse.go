package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// synapse is the registration token API of Synapse
// (https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html)
// and of what imitates it.
type synapse struct {
	client *client
	root   string // path of the list
}

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

// synapseChange is the body of PUT; null is without limit.
type synapseChange struct {
	UsesAllowed *int   `json:"uses_allowed"`
	ExpiryTime  *int64 `json:"expiry_time"`
}

// Abilities of Synapse. Its relative tuwunel has them too, but never anything
// pending.
func (s *synapse) Abilities() Abilities { return Abilities{Kind: KindSynapse, Pending: true} }

// List asks GET /registration_tokens, which has no pages. Its filter ?valid=true
// is of no use: it hides tokens of 0 uses, with which everybody can register.
func (s *synapse) List(ctx context.Context) ([]Token, error) {
	const op = "list tokens"
	answer, err := do[struct {
		Tokens json.RawMessage `json:"registration_tokens"`
	}](ctx, s.client, call{op: op, method: http.MethodGet, path: s.root})
	if err != nil {
		return nil, err
	}
	var found []synapseToken // Dendrite's empty list is null
	if err := json.Unmarshal(answer.Tokens, &found); err != nil {
		return nil, &Error{Kind: ErrNoAPI, Op: op, Cause: errors.New("there is no list of tokens in the answer")}
	}
	list := make([]Token, len(found))
	for i, token := range found {
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
	answer, err := do[synapseToken](ctx, s.client, call{op: op, method: http.MethodGet, path: s.path(text), text: text})
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
	if err := spec.checkNew(op); err != nil {
		return Token{}, err
	}
	body := synapseSpec{Token: spec.Text, UsesAllowed: spec.Uses, ExpiryTime: unixMilli(spec.Expires)}
	return s.change(ctx, call{op: op, method: http.MethodPost, path: s.root + "/new", body: body, text: spec.Text})
}

// Update asks PUT /registration_tokens/{token}.
func (s *synapse) Update(ctx context.Context, spec Spec) (Token, error) {
	const op = "change token"
	if err := spec.check(op); err != nil {
		return Token{}, err
	}
	if !nameable(spec.Text) {
		return Token{}, &Error{Kind: ErrNotFound, Op: op}
	}
	body := synapseChange{UsesAllowed: spec.Uses, ExpiryTime: unixMilli(spec.Expires)}
	token, err := s.change(ctx, call{op: op, method: http.MethodPut, path: s.path(spec.Text), body: body, text: spec.Text})
	return token, s.forbidden(ctx, spec.Text, err, ErrFixed)
}

// Delete asks DELETE /registration_tokens/{token}.
func (s *synapse) Delete(ctx context.Context, text string) error {
	const op = "delete token"
	if !nameable(text) {
		return &Error{Kind: ErrNotFound, Op: op}
	}
	_, err := do[struct{}](ctx, s.client, call{op: op, method: http.MethodDelete, path: s.path(text), text: text})
	return s.forbidden(ctx, text, err, ErrFixed)
}

// change asks for an effect whose answer is the token.
func (s *synapse) change(ctx context.Context, call call) (Token, error) {
	answer, err := do[synapseToken](ctx, s.client, call)
	if err != nil {
		return Token{}, err
	}
	if answer.Token != call.text {
		return Token{}, &Error{Kind: ErrUnknownOutcome, Op: call.op, Cause: errors.New("the answer is about something else")}
	}
	return answer.token(), nil
}

// forbidden finds out what a 403 means: whoever may read tokens is an admin, so
// then it was not the rights that were missing, but this one thing is forbidden.
func (s *synapse) forbidden(ctx context.Context, text string, err, instead error) error {
	if !errors.Is(err, ErrNotAdmin) {
		return err
	}
	if _, readErr := s.Get(ctx, text); readErr != nil && !errors.Is(readErr, ErrNotFound) {
		return err
	}
	return recast(err, func(e *Error) { e.Kind = instead })
}

func (s *synapse) path(text string) string { return s.root + "/" + escape(text) }

func unixMilli(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	return new(t.UnixMilli())
}

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
