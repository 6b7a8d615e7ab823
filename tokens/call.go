package tokens

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	callTimeout    = 15 * time.Second // for a whole call, its tries and waits included
	maxTries       = 3
	firstBackoff   = 200 * time.Millisecond
	limitedBackoff = time.Second // after a 429 that doesn't say how long
	responseLimit  = 16 << 20    // bytes; a list of more than 100,000 tokens
)

// client asks an API over HTTP.
type client struct {
	http      *http.Client
	base      string // without a slash at the end
	query     string // added to every request
	userAgent string
	authorize func(*http.Request) // adds the credentials; nil = none
	secrets   []string            // those credentials, to be kept out of errors
	// kindOf reads a status and what the body said. What every API means by a
	// status is no longer to be judged.
	kindOf func(call call, status int, said refusalBody) error
}

// bearer adds an access token to the requests.
func (c client) bearer(token string) *client {
	c.secrets = []string{token}
	c.authorize = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	return &c
}

// call is one request of an API.
type call struct {
	op     string // what is being done, for the log
	method string
	path   string     // percent-encoded, with its leading slash
	query  url.Values // for this request only
	body   any        // sent as JSON; nil = no body
	form   url.Values // sent instead of JSON
	text   string     // the token that it is about, to be kept out of errors; "" = none
	mute   bool       // a success says nothing
}

// namesToken tells whether the path names a token that may not be there.
func (c call) namesToken() bool { return c.text != "" && c.method != http.MethodPost }

// do asks the server and reads its answer into a T. Only what can do no harm
// twice is tried again: a GET that got no usable answer, and anything that was
// turned away with 429. Everything else is for the caller, who keeps a ledger.
func do[T any](ctx context.Context, c *client, call call) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for try := 1; ; try++ {
		answer, failure := once[T](ctx, c, call)
		if failure == nil {
			return answer, nil
		}
		if try == maxTries || !repeatable(call, failure) || !pause(ctx, delay(failure, try)) {
			return answer, failure
		}
	}
}

func repeatable(call call, failure *Error) bool {
	switch failure.Kind {
	case ErrRateLimited:
		return true
	case ErrUnreachable, ErrUnknownOutcome:
		return call.method == http.MethodGet
	default:
		return false
	}
}

// delay is what the server asked for, else a growing, jittered time.
func delay(failure *Error, try int) time.Duration {
	if failure.RetryAfter > 0 {
		return failure.RetryAfter
	}
	backoff := firstBackoff
	if failure.Kind == ErrRateLimited {
		backoff = limitedBackoff
	}
	backoff <<= try - 1
	return backoff/2 + rand.N(backoff) // #nosec G404 -- no secret
}

// pause waits, unless that would take longer than the context lives.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once sends the request a single time.
func once[T any](ctx context.Context, c *client, call call) (answer T, failure *Error) {
	secrets := newSecrets(append([]string{call.text}, c.secrets...)...)
	failed := func(kind error, status int, cause error) *Error {
		return &Error{Kind: kind, Op: call.op, Status: status, Cause: secrets.clean(cause)}
	}

	// net/http sends a POST or DELETE again only when nothing of it had been
	// written, so the last connection is the one that counts.
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { left.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	})
	request, err := c.request(ctx, call)
	if err != nil {
		return answer, failed(ErrUnreachable, 0, err)
	}
	response, err := c.http.Do(request)
	if err != nil && !left.Load() {
		return answer, failed(ErrUnreachable, 0, err)
	}
	if err != nil {
		return answer, failed(ErrUnknownOutcome, 0, err)
	}
	defer response.Body.Close()

	body, err := readLimited(response.Body)
	if err != nil {
		return answer, failed(ErrUnknownOutcome, response.StatusCode, err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return answer, c.refusal(call, response, body, secrets)
	}
	if call.mute {
		return answer, nil
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		// Some proxies have a page for everything.
		if call.method == http.MethodGet && isHTML(response) {
			return answer, failed(ErrNoAPI, response.StatusCode, errors.New("the answer is a web page"))
		}
		return answer, failed(ErrUnknownOutcome, response.StatusCode, fmt.Errorf("reading the answer: %w", err))
	}
	return answer, nil
}

func (c *client) request(ctx context.Context, call call) (*http.Request, error) {
	var body io.Reader
	contentType := ""
	switch {
	case call.form != nil:
		contentType, body = "application/x-www-form-urlencoded", strings.NewReader(call.form.Encode())
	case call.body != nil:
		encoded, err := json.Marshal(call.body)
		if err != nil {
			return nil, err
		}
		contentType, body = "application/json", bytes.NewReader(encoded)
	}
	address := c.base + call.path
	if query := strings.Trim(c.query+"&"+call.query.Encode(), "&"); query != "" {
		address += "?" + query
	}
	request, err := http.NewRequestWithContext(ctx, call.method, address, body)
	if err != nil {
		return nil, err
	}
	if c.authorize != nil {
		c.authorize(request)
	}
	request.Header.Set("Accept", "application/json")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if c.userAgent != "" {
		request.Header.Set("User-Agent", c.userAgent)
	}
	return request, nil
}

func readLimited(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, responseLimit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > responseLimit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", responseLimit)
	}
	return body, nil
}

func isHTML(response *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return mediaType == "text/html"
}
