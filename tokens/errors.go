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
	// Validate says what is wrong with it.
	ErrBadText = errors.New("not a token text")
	// ErrUnable: this kind of server can't do that; Abilities say so beforehand.
	ErrUnable = errors.New("this kind of server can't do that")
)

// Causes that need a cure of their own. Each matches a sentinel from above too.
var (
	// ErrRevoked: the token was deleted already, and stands there as revoked.
	ErrRevoked = fmt.Errorf("%w: it is revoked", ErrNotFound)
	// ErrNotRevoked: a token can't be restored because it is not revoked.
	ErrNotRevoked = fmt.Errorf("%w: the token is not revoked", ErrRefused)
	// ErrFixed: the token stands in the server's config file (tuwunel), and can
	// only be changed there.
	ErrFixed = fmt.Errorf("%w: the token stands in the server's config file", ErrRefused)
	// ErrNotKept: the server said yes to a change and kept the old values
	// (Dendrite on SQLite in some builds).
	ErrNotKept = fmt.Errorf("%w: the server did not keep the change", ErrRefused)
	// ErrTokensOff: the server makes no tokens because its config does not ask
	// for them at registration (Dendrite: client_api.registration_requires_token).
	ErrTokensOff = fmt.Errorf("%w: registration tokens are switched off in the server's config", ErrRefused)

	// ErrNotAdminToken: the access token in the config is no server admin's.
	ErrNotAdminToken = fmt.Errorf("%w: api.token is no admin's", ErrNotAdmin)
	// ErrNotAdminClient: MAS knows the client, but policy.data.admin_clients of
	// its config does not name it.
	ErrNotAdminClient = fmt.Errorf("%w: its client is not in MAS's admin_clients", ErrNotAdmin)
	// ErrBadClient: MAS does not know the client, or its secret or the way of
	// sending it (client_auth_method) is another. MAS does not say which.
	ErrBadClient = fmt.Errorf("%w: MAS does not accept the client's id, secret or auth method", ErrBadCredentials)
	// ErrNeedsCredentials: the server found (Error.Found) needs credentials that
	// the config does not have.
	ErrNeedsCredentials = fmt.Errorf("%w: the config has none for this kind of server", ErrBadCredentials)

	// ErrNoIssuer: MAS is not at the address of its issuer.
	ErrNoIssuer = fmt.Errorf("%w: MAS does not answer at its issuer's address", ErrNoAPI)
	// ErrNoAdminAPI: the listener of MAS at this address does not serve adminapi.
	ErrNoAdminAPI = fmt.Errorf("%w: MAS does not serve adminapi at this address", ErrNoAPI)
	// ErrHasNone: the homeserver answers, and has no token API of any kind
	// (Conduit, continuwuity; also a worker of Synapse).
	ErrHasNone = fmt.Errorf("%w: this homeserver has none", ErrNoAPI)
	// ErrWrongKind: the config names one kind of server, and another one is there
	// (Error.Found).
	ErrWrongKind = fmt.Errorf("%w: the config names another kind of server", ErrNoAPI)
)

// Temporary tells whether asking again later can help. What the server did not
// say clearly can.
func Temporary(err error) bool {
	return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrRateLimited) || errors.Is(err, ErrUnknownOutcome)
}

// Error is a failed call. It matches its Kind with errors.Is; its text is for
// the log, never for the chat, and holds neither a token nor an access token.
type Error struct {
	Kind       error         // one of the sentinels above
	Op         string        // what was being done: "list tokens", "create token"
	Status     int           // HTTP status, 0 when there was none
	Errcode    string        // Matrix error code, if the body had one
	Server     string        // the server's own words, cut to a sensible length
	RetryAfter time.Duration // ErrRateLimited: how long the server wants to be left alone, 0 = it didn't say
	Found      string        // ErrWrongKind, ErrNeedsCredentials: the kind of server that is there, KindMAS for example
	Cause      error         // transport error, if any
}

func (e *Error) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %s", e.Op, e.Kind)
	if e.Found != "" {
		fmt.Fprintf(&s, ": it is %s", e.Found)
	}
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

// Is makes errors.Is match the kind, and what the kind is a case of.
func (e *Error) Is(target error) bool { return errors.Is(e.Kind, target) }

// Unwrap gives the transport error.
func (e *Error) Unwrap() error { return e.Cause }

// recast returns a changed copy of an *Error; other errors, and nil, stay as they are.
func recast(err error, change func(*Error)) error {
	var failure *Error
	if !errors.As(err, &failure) {
		return err
	}
	changed := *failure
	change(&changed)
	return &changed
}

// prepared makes the error of what only prepared an operation one of that
// operation: if its own outcome is not known, the operation has certainly had
// no effect.
func prepared(op string, err error) error {
	return recast(err, func(e *Error) {
		e.Op = op
		if e.Kind == ErrUnknownOutcome {
			e.Kind = ErrUnreachable
		}
	})
}
