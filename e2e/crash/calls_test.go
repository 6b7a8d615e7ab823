//go:build e2e

package crash

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"matrix-registration-bot/e2e/lab"
)

// calls counts the bot's requests and commits from outside: a proxy in front of
// the homeserver sees the ones, the database the others.
type calls struct {
	ledger *lab.Ledger

	mu       sync.Mutex
	requests []string            // since begin
	commits  int                 // from begin to end
	stop     func() (int, error) // nil: nothing is counted
}

// countCalls puts the proxy between the bot, which must be stopped, and its
// homeserver; it stays to the end.
func (s *stage) countCalls() error {
	homeserver, err := url.Parse(s.Synapse.URL)
	if err != nil {
		return err
	}
	if s.ledger, err = s.Bot.Ledger(); err != nil {
		return err
	}
	s.calls = &calls{ledger: s.ledger}
	through := httputil.NewSingleHostReverseProxy(homeserver)
	// A bot that crashes hangs up.
	through.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.see(r)
		through.ServeHTTP(w, r)
	}))
	return s.Bot.EditConfig("address: "+s.Synapse.URL, "address: "+proxy.URL)
}

func (c *calls) see(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil && !strings.HasSuffix(r.URL.Path, "/sync") {
		c.requests = append(c.requests, r.Method+" "+r.URL.Path)
	}
}

// begin begins to count.
func (c *calls) begin(ctx context.Context) error {
	stop, err := c.ledger.Commits(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests, c.stop = nil, stop
	return err
}

// end stops counting, if it was begun.
func (c *calls) end() (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.commits, err = c.stop()
		c.stop = nil
	}
	return err
}
