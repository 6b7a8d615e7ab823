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
	Pending   int        // registrations begun and not finished
	Completed int        // registrations finished
	Expires   *time.Time // nil = never
}

// Spec is a token that somebody wants to have. Text is never empty: the bot
// draws texts itself (see Draw), because only then can a crash between the
// request and its answer be told from somebody else's token.
type Spec struct {
	Text    string
	Uses    *int       // at least 1; nil = unlimited
	Expires *time.Time // in the future, whole milliseconds; nil = never
}

// Server is what every kind of server can do. Each method returns an *Error
// that matches one of the package's sentinels with errors.Is.
type Server interface {
	// List returns all tokens, in no particular order.
	List(ctx context.Context) ([]Token, error)
	// Get returns one token, or ErrNotFound.
	Get(ctx context.Context, text string) (Token, error)
	// Create makes the token, or returns ErrExists if its text is taken.
	Create(ctx context.Context, spec Spec) (Token, error)
	// Delete removes the token, or returns ErrNotFound.
	Delete(ctx context.Context, text string) error
}
