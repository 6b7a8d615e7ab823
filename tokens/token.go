// Package tokens knows registration tokens: what they are, and how each kind
// of homeserver is asked to make, show and remove them.
package tokens

import (
	"context"
	"time"
)

// Token is a registration token as the server describes it
// (Synapse: admin API "registration tokens").
type Token struct {
	Text      string     // 1 to 64 characters of [A-Za-z0-9._~-]; foreign ones can be odd
	Uses      *int       // registrations allowed in all; nil = unlimited
	Pending   int        // registrations begun and not finished, where Abilities.Pending
	Completed int        // registrations finished
	Expires   *time.Time // nil = never
	Revoked   bool       // deleted, but still there and kept from use; only where Abilities.Revokes
	LastUsed  *time.Time // when a registration was finished last, where Abilities.LastUser; nil = never
}

// State says whether a token can be used.
type State string

// The states of a token.
const (
	Valid   State = "valid"
	Used    State = "used" // no use is left; one that is only pending may come back
	Expired State = "expired"
	Revoked State = "revoked"
)

// State returns the token's state at the given time. Of several the one counts
// that somebody decided, then the one that never changes back: revoked before
// expired before used.
func (t Token) State(now time.Time) State {
	if t.Revoked {
		return Revoked
	}
	if t.Expires != nil && t.Expires.Before(now) {
		return Expired
	}
	if left, limited := t.Left(); limited && left == 0 {
		return Used
	}
	return Valid
}

// Left returns how many more registrations can begin with the token: its uses
// without the finished and the pending ones. It is never negative, although
// servers let people who register at the same time overrun the limit. A token
// that is not limited has no such number.
func (t Token) Left() (left int, limited bool) {
	if t.Uses == nil {
		return 0, false
	}
	return max(0, *t.Uses-t.Completed-t.Pending), true
}

// Spec is a token that somebody wants to have. Text is never empty: the bot
// draws texts itself (see Draw), because only then can a crash between the
// request and its answer be told from somebody else's token.
type Spec struct {
	Text    string
	Uses    *int       // at least 1; nil = unlimited
	Expires *time.Time // in the future, whole milliseconds; nil = never
}

// Matches tells whether the token on the server is what the spec asked for:
// the same text, uses and expiry, to the millisecond that servers keep. What
// has become of it since (pending, completed) plays no part.
func (s Spec) Matches(t Token) bool {
	return s.Text == t.Text &&
		same(s.Uses, t.Uses, func(a, b int) bool { return a == b }) &&
		same(s.Expires, t.Expires, func(a, b time.Time) bool { return a.UnixMilli() == b.UnixMilli() })
}

// same compares two values that may be absent.
func same[T any](a, b *T, equal func(a, b T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(*a, *b)
}

// Server is what every kind of server can do; Abilities say what else. Each
// method returns an *Error that matches one of the package's sentinels with
// errors.Is.
type Server interface {
	// List returns all tokens, in no particular order.
	List(ctx context.Context) ([]Token, error)
	// Get returns one token, or ErrNotFound.
	Get(ctx context.Context, text string) (Token, error)
	// Create makes the token, or returns ErrExists if its text is taken.
	Create(ctx context.Context, spec Spec) (Token, error)
	// Delete removes the token, or returns ErrNotFound. Where Abilities.Revokes
	// the token stays, cannot be used any more, and Get shows it as revoked.
	Delete(ctx context.Context, text string) error
}
