package tokens

import (
	"fmt"
	"math"
	"time"
)

// check refuses what servers take and nobody can use, or what they answer with
// an internal error.
func (s Spec) check(op string) error {
	refused := func(format string, args ...any) error {
		return &Error{Kind: ErrRefused, Op: op, Cause: fmt.Errorf(format, args...)}
	}
	switch {
	case s.Uses != nil && *s.Uses < 1: // Synapse takes 0 and then treats it as "no limit"
		return refused("uses must be at least 1, not %d", *s.Uses)
	case s.Uses != nil && *s.Uses > math.MaxInt32: // MAS answers 500
		return refused("uses must be at most %d, not %d", math.MaxInt32, *s.Uses)
	case s.Expires != nil && !s.Expires.After(time.Now()):
		return refused("the expiry must be in the future, not %s", s.Expires)
	case s.Expires != nil && s.Expires.After(lastExpiry):
		return refused("the expiry must not be after the year 9999")
	}
	return nil
}

// checkNew refuses what can't become a new token.
func (s Spec) checkNew(op string) error {
	if err := Validate(s.Text); err != nil {
		return &Error{Kind: err, Op: op}
	}
	return s.check(op)
}

// lastExpiry is the last moment that JSON and people can write.
var lastExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
