package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"maunium.net/go/mautrix"
)

func answered(status int, matrix *mautrix.RespError) error {
	return fmt.Errorf("sending: %w", mautrix.HTTPError{Response: &http.Response{StatusCode: status}, RespError: matrix})
}

func TestWhichFailuresPassByThemselves(t *testing.T) {
	matrix := func(code string) *mautrix.RespError { return &mautrix.RespError{ErrCode: code} }
	for name, c := range map[string]struct {
		err       error
		temporary bool
		gone      bool
	}{
		"nobody answers":                  {mautrix.HTTPError{WrappedError: errors.New("connection refused")}, true, false},
		"the time is up":                  {context.DeadlineExceeded, true, false},
		"a proxy's page":                  {answered(404, nil), true, false},
		"an HTML page as 502":             {answered(502, nil), true, false},
		"the server fails":                {answered(500, matrix("M_UNKNOWN")), true, false},
		"slow down":                       {answered(429, matrix("M_LIMIT_EXCEEDED")), true, false},
		"the registration is not loaded":  {answered(401, matrix("M_UNKNOWN_TOKEN")), true, false},
		"the device was removed":          {answered(400, matrix("M_UNKNOWN_DEVICE")), true, false},
		"thrown out of the room":          {answered(403, matrix("M_FORBIDDEN")), false, true},
		"the room is no more":             {answered(404, matrix("M_NOT_FOUND")), false, true},
		"too large":                       {answered(413, matrix("M_TOO_LARGE")), false, false},
		"bad request":                     {answered(400, matrix("M_BAD_JSON")), false, false},
		"the database broke off":          {fmt.Errorf("reading a room: %w", io.ErrUnexpectedEOF), true, false},
		"a mistake of our own in the way": {errors.New("marshalling"), false, false},
	} {
		if got := isTemporary(c.err); got != c.temporary {
			t.Errorf("%s: temporary = %v", name, got)
		}
		if got := isGone(c.err); got != c.gone {
			t.Errorf("%s: gone = %v", name, got)
		}
	}
}

func TestPausesGrowUpToALimitAndObeyTheServer(t *testing.T) {
	for n := range 100 {
		if wait := pause(n, 10*time.Second, nil); wait <= 0 || wait > 15*time.Second {
			t.Errorf("after %d failures: %s", n, wait)
		}
	}
	slow := answered(429, &mautrix.RespError{ErrCode: "M_LIMIT_EXCEEDED", ExtraData: map[string]any{"retry_after_ms": 90_000.0}})
	if wait := pause(0, 10*time.Second, slow); wait < 90*time.Second {
		t.Errorf("the server asked for 90 s, and got %s", wait)
	}
	forever := answered(429, &mautrix.RespError{ErrCode: "M_LIMIT_EXCEEDED", ExtraData: map[string]any{"retry_after_ms": 1e18}})
	if wait := pause(0, 10*time.Second, forever); wait > time.Hour {
		t.Errorf("a senseless wish was obeyed: %s", wait)
	}
}
