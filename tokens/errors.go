package tokens

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What can go wrong when a server is asked, as sentinels for errors.Is.
var (
	ErrNotFound       = errors.New("no such token")
	ErrExists         = errors.New("token exists already")
	ErrNotAdmin       = errors.New("the bot is not a server admin")
	ErrBadCredentials = errors.New("the access token is not valid")
	ErrNoAPI          = errors.New("the token API is not there")
	ErrRefused        = errors.New("the server refused the request")
	ErrRateLimited    = errors.New("the server asks to slow down")
	// ErrUnreachable: the request never got to the server, so nothing happened.
	ErrUnreachable = errors.New("the server can't be reached")
	// ErrUnknownOutcome: the request left and no usable answer came back, so it
	// may or may not have had its effect.
	ErrUnknownOutcome = errors.New("the server did not answer")
	// ErrBadText: a token text that no server would take, or nobody could use.
	// Validate says with a *TextError what is wrong with it.
	ErrBadText = errors.New("not a token text")
)

// Error is a failed call. It matches its Kind with errors.Is; its text is for
// the log, never for the chat, and holds neither a token nor an access token.
type Error struct {
	Kind       error         // one of the sentinels above
	Op         string        // what was being done: "list tokens", "create token"
	Status     int           // HTTP status, 0 when there was none
	Errcode    string        // Matrix error code, if the body had one
	Server     string        // the server's own words, cut to a sensible length
	RetryAfter time.Duration // ErrRateLimited: how long the server wants to be left alone, 0 = it didn't say
	Cause      error         // transport error, if any
}

func (e *Error) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&s, " (HTTP %d", e.Status)
		if e.Errcode != "" {
			fmt.Fprintf(&s, " %s", e.Errcode)
		}
		if e.Server != "" {
			fmt.Fprintf(&s, ": %q", e.Server)
		}
		s.WriteByte(')')
	}
	if e.Cause != nil {
		fmt.Fprintf(&s, ": %s", e.Cause)
	}
	return s.String()
}

// Is makes errors.Is match the kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap gives the transport error.
func (e *Error) Unwrap() error { return e.Cause }
