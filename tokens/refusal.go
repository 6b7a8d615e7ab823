package tokens

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refusalBody is the body of an error, in any of the forms that we meet.
type refusalBody struct {
	// Client-server API, "Standard error response". OAuth (RFC 6749 section 5.2)
	// has its error code in Error.
	Errcode      string `json:"errcode"`
	Error        string `json:"error"`
	RetryAfterMS int64  `json:"retry_after_ms"`
	Description  string `json:"error_description"` // OAuth
	Errors       []struct {
		Title string `json:"title"`
	} `json:"errors"` // MAS's admin API: a summary, then its causes
}

// words are what it says to people.
func (b refusalBody) words() string {
	var all []string
	for _, words := range []string{b.Error, b.Description} {
		if words != "" {
			all = append(all, words)
		}
	}
	for _, e := range b.Errors {
		all = append(all, e.Title)
	}
	return strings.Join(all, ": ")
}

// refusal makes an Error of an answer that is none of success.
func (c *client) refusal(call call, response *http.Response, body []byte, secrets secrets) *Error {
	var said refusalBody
	_ = json.Unmarshal(body, &said) // what isn't JSON has no error code, which says enough
	words := said.words()
	if words == "" {
		words = string(body)
	}
	failure := &Error{
		Kind:    c.judge(call, response.StatusCode, said),
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

// judge knows what some statuses mean everywhere, and leaves the others to
// those who know the API.
func (c *client) judge(call call, status int, said refusalBody) error {
	switch {
	case said.Errcode == "M_UNRECOGNIZED":
		return ErrNoAPI // MAS is in charge of accounts, or this is a worker
	case status >= 500:
		return ErrUnknownOutcome // a gateway may have passed the request on before it gave up
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	}
	if kind := c.kindOf(call, status, said); kind != nil {
		return kind
	}
	switch {
	case status < 400, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return ErrNoAPI
	default:
		return ErrRefused
	}
}

// matrixKind reads an answer of a homeserver, nil if it says nothing special.
// Where a status could come from a reverse proxy, a missing error code gives
// the proxy away.
func matrixKind(call call, status int, said refusalBody) error {
	switch {
	case status == http.StatusUnauthorized:
		return ErrBadCredentials
	case status == http.StatusForbidden && said.Errcode != "":
		return ErrNotAdmin
	case status == http.StatusNotFound && said.Errcode == "M_NOT_FOUND" && call.namesToken():
		return ErrNotFound
	case status == http.StatusBadRequest && strings.Contains(strings.ToLower(said.Error), "token already exists"):
		return ErrExists // M_INVALID_PARAM, like everything else that can be wrong with a token
	case status == http.StatusConflict:
		return ErrExists // Dendrite
	}
	return nil
}

// tokenKind is matrixKind for an access token that is not the bot's own.
func tokenKind(call call, status int, said refusalBody) error {
	if kind := matrixKind(call, status, said); kind != ErrNotAdmin {
		return kind
	}
	return ErrNotAdminToken
}

// longestRetryAfter bounds what a server can ask for.
const longestRetryAfter = 24 * time.Hour

// retryAfter is how long to wait by the body (Matrix) or else the header
// (RFC 9110 section 10.2.3), 0 if neither says.
func retryAfter(header http.Header, said refusalBody) time.Duration {
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
