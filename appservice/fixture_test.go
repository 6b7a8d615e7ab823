package appservice

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
)

const (
	hsToken = "the-hs-token"
	bot     = "@registration-bot:example.com"
)

// inbox keeps what it gets in memory and, like the real one, skips events that
// it has seen.
type inbox struct {
	onAccept func(ctx context.Context) error // may wait or fail; nil: commits at once

	mu           sync.Mutex
	transactions []string
	events       []Event
	unreadable   []string
}

func (i *inbox) Accept(ctx context.Context, transactionID string, events []Event, unreadable [][]byte) error {
	if i.onAccept != nil {
		if err := i.onAccept(ctx); err != nil {
			return err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.transactions = append(i.transactions, transactionID)
	for _, event := range events {
		if !slices.ContainsFunc(i.events, func(e Event) bool { return e.ID == event.ID }) {
			i.events = append(i.events, event)
		}
	}
	for _, raw := range unreadable {
		i.unreadable = append(i.unreadable, string(raw))
	}
	return nil
}

// ids returns the ids of the committed events, in order.
func (i *inbox) ids() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var ids []string
	for _, event := range i.events {
		ids = append(ids, event.ID)
	}
	return ids
}

// testConfig is a config with everything in its simplest form.
func testConfig(in Inbox) Config {
	return Config{
		Listen:    "127.0.0.1:0",
		HSToken:   hsToken,
		BotUserID: bot,
		Inbox:     in,
		Ready:     func(context.Context) Readiness { return Readiness{Ready: true} },
		Log:       zerolog.Nop(),
	}
}

// start serves on a free port until the test ends.
func start(t *testing.T, cfg Config, lim limits) *Server {
	t.Helper()
	s := newServer(cfg, lim)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	t.Cleanup(func() {
		_ = s.Close(context.Background())
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// answer is what a caller sees of a response.
type answer struct {
	status int
	header http.Header
	body   string
	length int64 // Content-Length; -1: none
}

// do sends a request over TCP; path may have a query.
func do(t *testing.T, s *Server, method, path, body string, header http.Header) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text), res.ContentLength}
}

// push sends a transaction as Synapse does.
func push(t *testing.T, s *Server, id, body string) answer {
	t.Helper()
	return do(t, s, http.MethodPut, "/_matrix/app/v1/transactions/"+id, body, bearer(hsToken))
}

// handle gives a transaction to the handlers without a network between.
func handle(ctx context.Context, s *Server, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(ctx, http.MethodPut, "/_matrix/app/v1/transactions/1", strings.NewReader(body))
	req.Header = bearer(hsToken)
	res := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(res, req)
	return res
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// message is a good event.
func message(id string) string {
	return `{"event_id":"` + id + `","room_id":"!r:example.com","sender":"@anna:example.com","type":"m.room.message",` +
		`"origin_server_ts":1700000000000,"unsigned":{"age":1234},"content":{"msgtype":"m.text","body":"create"}}`
}

// transactionOf is a body with these events.
func transactionOf(events ...string) string {
	return `{"events":[` + strings.Join(events, ",") + `]}`
}

// errcode is the code of a Matrix error body, "" if it is none.
func errcode(body string) string {
	var matrixError struct {
		Code    string `json:"errcode"`
		Message string `json:"error"`
	}
	if json.Unmarshal([]byte(body), &matrixError) != nil || matrixError.Message == "" {
		return ""
	}
	return matrixError.Code
}

// logBuffer collects log lines from several goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
