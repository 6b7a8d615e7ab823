package tokenstest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// Request is a request as it came over the wire.
type Request struct {
	Method string
	URI    string // path and query, percent-encoded as they were sent
	Header http.Header
	Body   string
}

// Traffic is what comes to a server: it is noted, and it can be made to go
// wrong. Its methods may be called while the server is being asked.
type Traffic struct {
	mu       sync.Mutex
	next     []Fault
	always   Fault
	requests []Request
}

// Next makes the next requests go wrong, one fault each.
func (t *Traffic) Next(faults ...Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = append(t.next, faults...)
}

// Always makes every request go wrong that has no fault from Next; nil ends it.
func (t *Traffic) Always(fault Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.always = fault
}

// Requests returns all requests so far, also those that went wrong.
func (t *Traffic) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.requests)
}

// serve answers a request, or does what a fault wants.
func (t *Traffic) serve(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if fault := t.note(r, body); fault != nil {
		fault(w, r, answer)
		return
	}
	answer(w, r)
}

func (t *Traffic) note(r *http.Request, body []byte) Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = append(t.requests, Request{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body)})
	if len(t.next) == 0 {
		return t.always
	}
	fault := t.next[0]
	t.next = t.next[1:]
	return fault
}

// start listens on the loopback until the test ends, and returns the URL.
func start(t testing.TB, server http.Handler) string {
	t.Helper()
	listening := httptest.NewServer(server)
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
	})
	return listening.URL
}
