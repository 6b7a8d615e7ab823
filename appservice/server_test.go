package appservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func dial(t *testing.T, s *Server) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// received reads until the server hangs up.
func received(t *testing.T, conn net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(conn)
	if err != nil && len(text) == 0 {
		t.Fatal(err)
	}
	return string(text)
}

func TestABusyPortIsSaidAtOnce(t *testing.T) {
	first := start(t, testConfig(&inbox{}), defaultLimits())
	cfg := testConfig(&inbox{})
	cfg.Listen = first.Addr()
	err := New(cfg).Listen()
	if err == nil || !strings.Contains(err.Error(), first.Addr()) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("got %v", err)
	}
}

func TestABadAddressIsSaid(t *testing.T) {
	cfg := testConfig(&inbox{})
	cfg.Listen = "nonsense"
	if err := New(cfg).Listen(); err == nil || !strings.Contains(err.Error(), "appservice.listen") {
		t.Errorf("got %v", err)
	}
}

func TestCloseWithoutServeGivesUpThePort(t *testing.T) {
	cfg := testConfig(&inbox{})
	s := New(cfg)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Listen = s.Addr()
	again := New(cfg)
	if err := again.Listen(); err != nil {
		t.Errorf("the port is still taken: %v", err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := New(cfg).Close(t.Context()); err != nil {
		t.Errorf("closing what never listened: %v", err)
	}
}

// held is an inbox that says when a transaction has arrived and keeps it
// waiting until release is closed.
func held() (in *inbox, arrived, release chan struct{}) {
	arrived, release = make(chan struct{}), make(chan struct{})
	in = &inbox{onAccept: func(context.Context) error {
		arrived <- struct{}{}
		<-release
		return nil
	}}
	return in, arrived, release
}

// untilRefused returns when nobody listens on the port any more.
func untilRefused(t *testing.T, address string) {
	t.Helper()
	for t.Context().Err() == nil {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
	}
}

func TestAnOpenRequestIsFinishedBeforeTheServerStops(t *testing.T) {
	for name, stop := range map[string]func(s *Server, cancel func()) error{
		"by Close":              func(s *Server, _ func()) error { return s.Close(context.Background()) },
		"by the end of context": func(_ *Server, cancel func()) error { cancel(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			in, arrived, release := held()
			s := New(testConfig(in))
			if err := s.Listen(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			served, stopped, answered := make(chan error, 1), make(chan error, 1), make(chan answer, 1)
			go func() { served <- s.Serve(ctx) }()
			go func() { answered <- push(t, s, "1", transactionOf(message("$1"))) }()
			<-arrived
			go func() { stopped <- stop(s, cancel) }()
			untilRefused(t, s.Addr())
			close(release)
			if got := <-answered; got.status != http.StatusOK || got.body != "{}" {
				t.Errorf("the open request got %d %s", got.status, got.body)
			}
			if err := <-stopped; err != nil {
				t.Errorf("stopping: %v", err)
			}
			if err := <-served; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
}

func TestCloseCutsWhatDoesNotEndInTime(t *testing.T) {
	in, arrived, release := held()
	defer close(release)
	s := start(t, testConfig(in), defaultLimits())
	conn := dial(t, s)
	body := transactionOf(message("$1"))
	send(t, conn, fmt.Sprintf("PUT /transactions/1?access_token=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", hsToken, len(body), body))
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	if text, _ := io.ReadAll(conn); len(text) != 0 {
		t.Errorf("the open request got %q", text)
	}
}

func TestASlowBodyIsCutOff(t *testing.T) {
	in := &inbox{}
	lim := defaultLimits()
	lim.read = 100 * time.Millisecond
	s := start(t, testConfig(in), lim)
	conn := dial(t, s)
	send(t, conn, "PUT /transactions/1?access_token="+hsToken+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	done := make(chan struct{})
	defer close(done)
	go func() { // steady progress must not help
		for {
			select {
			case <-done:
				return
			case <-time.After(lim.read / 20):
				_, _ = conn.Write([]byte(" "))
			}
		}
	}()
	if got := received(t, conn); !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, "M_UNKNOWN") {
		t.Errorf("got %q", got)
	}
	if len(in.transactions) != 0 {
		t.Errorf("committed transactions %q", in.transactions)
	}
}

func TestASlowHeaderIsCutOff(t *testing.T) {
	lim := defaultLimits()
	lim.header = 50 * time.Millisecond
	s := start(t, testConfig(&inbox{}), lim)
	conn := dial(t, s)
	send(t, conn, "PUT /transactions/1 HTTP/1.1\r\nX-Slow: ")
	if got := received(t, conn); strings.Contains(got, "200") {
		t.Errorf("got %q", got)
	}
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	lim := defaultLimits()
	lim.idle = 50 * time.Millisecond
	conn := dial(t, start(t, testConfig(&inbox{}), lim))
	send(t, conn, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := received(t, conn); !strings.HasSuffix(got, `{"status":"ok"}`) {
		t.Errorf("got %q", got)
	}
}

func TestAHugeHeaderIsRefused(t *testing.T) {
	s := start(t, testConfig(&inbox{}), defaultLimits())
	got := do(t, s, http.MethodGet, "/health", "", http.Header{"X-Huge": {strings.Repeat("a", 4*maxHeaderBytes)}})
	if got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", got.status)
	}
}

func TestTheTimesFitIntoTheHomeserversMinute(t *testing.T) {
	lim := defaultLimits()
	if lim.read+lim.accept >= time.Minute || lim.write < lim.read+lim.accept {
		t.Errorf("a transaction may take %v + %v, its answer may be written for %v", lim.read, lim.accept, lim.write)
	}
}

func TestLogsHoldNoSecretsAndNoContent(t *testing.T) {
	log := &logBuffer{}
	cfg := testConfig(&inbox{})
	cfg.Log = zerolog.New(log).Level(zerolog.TraceLevel)
	s := start(t, cfg, defaultLimits())

	push(t, s, "good-transaction", transactionOf(message("$1"), `{"body":"secret-text"}`))
	push(t, s, "2", `secret-text`)
	do(t, s, http.MethodPut, "/transactions/3?access_token="+hsToken, transactionOf(message("$1")), nil)
	do(t, s, http.MethodPut, "/transactions/4?access_token=secret-guess", `{}`, bearer("secret-guess"))
	do(t, s, http.MethodGet, "/secret-path?access_token="+hsToken, ``, nil)

	text := log.String()
	for _, secret := range []string{hsToken, "access_token", "secret", "m.text", "create"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
	if strings.Count(text, `"transaction":"good-transaction","events":1,"duration":`) != 1 {
		t.Errorf("the log lacks the line about a transaction:\n%s", text)
	}
	if !strings.Contains(text, "wrong hs_token") {
		t.Errorf("the log lacks the refusal:\n%s", text)
	}
}

func TestGuessersCannotFloodTheLog(t *testing.T) {
	log := &logBuffer{}
	cfg := testConfig(&inbox{})
	cfg.Log = zerolog.New(log)
	s := start(t, cfg, defaultLimits())
	for range 50 {
		do(t, s, http.MethodPut, "/transactions/1", `{}`, bearer("guess"))
	}
	if lines := strings.Count(log.String(), "\n"); lines == 0 || lines > 20 {
		t.Errorf("%d lines", lines)
	}
}
