package metrics

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestThePageIsServedUntilTheEnd(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	s := NewServer("127.0.0.1:0", New("1.0"), func(ctx context.Context) Snapshot {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("a look may take for ever")
		}
		return Snapshot{Up: map[string]bool{"database": true}}
	})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx) }()

	response, err := http.Get("http://" + s.Addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.Header.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("%v, %s", err, response.Header)
	}
	has(t, string(body), `registration_bot_up{part="database"} 1`)

	for _, path := range []string{"/", "/debug/pprof/"} {
		response, err := http.Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %s", path, response.Status)
		}
	}
	end()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestManyWhoAskWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looking := 0
		s := NewServer("", New("1.0"), func(context.Context) Snapshot {
			if looking++; looking > 1 {
				t.Error("two look at the same time")
			}
			time.Sleep(2 * time.Second) // of the bubble's clock
			looking--
			return Snapshot{}
		})
		answers := make(chan int)
		for range 4 {
			go func() {
				answer := httptest.NewRecorder()
				s.http.Handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
				answers <- answer.Code
			}()
		}
		count := map[int]int{}
		for range 4 {
			count[<-answers]++
		}
		if count[http.StatusOK] != 3 || count[http.StatusServiceUnavailable] != 1 {
			t.Errorf("the answers are %v", count)
		}
	})
}

func TestABusyPortIsSaidAtOnce(t *testing.T) {
	first := NewServer("127.0.0.1:0", New("1.0"), nil)
	if err := first.Listen(); err != nil {
		t.Fatal(err)
	}
	defer first.listener.Close()
	if err := NewServer(first.Addr(), New("1.0"), nil).Listen(); err == nil || !strings.Contains(err.Error(), "metrics.listen") {
		t.Errorf("the error is %v", err)
	}
}

func TestWithoutAnAddressNothingIsServed(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	s := NewServer("", New("1.0"), nil)
	if err := s.Listen(); err != nil || s.Addr() != "" {
		t.Errorf("%v, it listens on %q", err, s.Addr())
	}
	end()
	if err := s.Serve(ctx); err != nil {
		t.Error(err)
	}
}
