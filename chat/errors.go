package chat

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"

	"matrix-registration-bot/store"
)

// errGone means that the bot is not in the room any more.
var errGone = errors.New("the bot is not in this room")

// errNotStored means that a room's members did not reach the database, for a reason
// that only the log names.
var errNotStored = errors.New("the database has other members than the homeserver")

// mUnknownDevice is Synapse's answer when the device in `device_id` does not
// exist (MSC4326).
var mUnknownDevice = mautrix.RespError{ErrCode: "M_UNKNOWN_DEVICE"}

// isTemporary tells whether the same can succeed later: the homeserver is away,
// slow, overloaded, answers with a proxy's page, or has not loaded the
// registration; or the database has a trouble of its own.
func isTemporary(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || store.Temporary(err) {
		return true
	}
	if errors.Is(err, errNotStored) || errors.Is(err, crypto.ErrRatchetError) { // mautrix does not say why
		return true
	}
	var httpErr mautrix.HTTPError
	if !errors.As(err, &httpErr) {
		return false
	}
	switch {
	case httpErr.Response == nil:
		return true // no answer
	case httpErr.RespError == nil:
		return true // not a homeserver's words, or cut off in the middle
	case errors.Is(err, mautrix.MUnknownToken), errors.Is(err, mUnknownDevice):
		return true
	}
	status := httpErr.Response.StatusCode
	return status >= 500 || status == http.StatusTooManyRequests
}

// isGone tells whether a request failed because the bot is not in the room, or the
// room is no more.
func isGone(err error) bool {
	var httpErr mautrix.HTTPError
	return errors.As(err, &httpErr) && httpErr.RespError != nil &&
		(errors.Is(err, mautrix.MForbidden) || errors.Is(err, mautrix.MNotFound))
}

// pause is how long to wait after the n-th failure (from 0): exponential up to
// a limit, with jitter so that many rooms don't come back at the same moment.
// A server's own wish is obeyed.
func pause(n int, limit time.Duration, err error) time.Duration {
	wait := min(250*time.Millisecond<<min(n, 20), limit)
	wait = wait/2 + rand.N(wait) // #nosec G404 -- no secret
	var httpErr mautrix.HTTPError
	if errors.As(err, &httpErr) && httpErr.RespError != nil {
		if ms, ok := httpErr.RespError.ExtraData["retry_after_ms"].(float64); ok && ms > 0 && ms < 3.6e6 {
			wait = max(wait, time.Duration(ms)*time.Millisecond)
		}
	}
	return wait
}
