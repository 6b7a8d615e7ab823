package tokens

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// matrixError is the body of an error, as Synapse and most of what imitates it
// send it (client-server API, "Standard error response").
type matrixError struct {
	Errcode      string `json:"errcode"`
	Error        string `json:"error"`
	RetryAfterMS int64  `json:"retry_after_ms"`
}

// refusal makes an Error of an answer that is none of success.
func refusal(call call, response *http.Response, body []byte, secrets secrets) *Error {
	var said matrixError
	_ = json.Unmarshal(body, &said) // what isn't JSON has no error code, which says enough
	words := said.Error
	if words == "" {
		words = string(body)
	}
	failure := &Error{
		Kind:    kindOf(call, response.StatusCode, said),
		Op:      call.op,
		Status:  response.StatusCode,
		Errcode: secrets.cut(said.Errcode),
		Server:  secrets.cut(words),
	}
	if failure.Kind == ErrRateLimited {
		failure.RetryAfter = retryAfter(response.Header, said)
	}
	return failure
}

// kindOf reads a status and an error code. Where both could come from a
// reverse proxy, a missing error code gives the proxy away.
func kindOf(call call, status int, said matrixError) error {
	ofHomeserver := said.Errcode != ""
	switch {
	case said.Errcode == "M_UNRECOGNIZED":
		return ErrNoAPI // MAS is in charge of accounts, or this is a worker
	case status >= 500:
		return ErrUnknownOutcome // a gateway may have passed the request on before it gave up
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status == http.StatusUnauthorized:
		return ErrBadCredentials
	case status == http.StatusForbidden && ofHomeserver:
		return ErrNotAdmin
	case status == http.StatusNotFound && said.Errcode == "M_NOT_FOUND" && call.namesToken():
		return ErrNotFound
	case status == http.StatusBadRequest && strings.HasPrefix(said.Error, "Token already exists"):
		return ErrExists // M_INVALID_PARAM, like everything else that can be wrong with a token
	case status < 400, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return ErrNoAPI
	default:
		return ErrRefused
	}
}

// longestRetryAfter bounds what a server can ask for.
const longestRetryAfter = 24 * time.Hour

// retryAfter is how long to wait by the body (Matrix) or else the header
// (RFC 9110 section 10.2.3), 0 if neither says.
func retryAfter(header http.Header, said matrixError) time.Duration {
	const longestSeconds = int64(longestRetryAfter / time.Second)
	if said.RetryAfterMS > 0 {
		return time.Duration(min(said.RetryAfterMS, 1000*longestSeconds)) * time.Millisecond
	}
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(0, seconds), longestSeconds)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, time.Until(at)), longestRetryAfter)
	}
	return 0
}
