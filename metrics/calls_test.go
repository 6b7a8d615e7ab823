package metrics

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequestsAreCountedByApiAndStatus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/secret" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	m := New("1.0")
	client := &http.Client{Transport: m.Calls("homeserver", http.DefaultTransport)}
	get := func(ctx context.Context, url string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	for _, path := range []string{"/", "/secret?access_token=secret", "/v3/sync"} {
		if err := get(t.Context(), server.URL+path); err != nil {
			t.Fatal(err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := get(stopped, server.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	server.Close()
	if err := get(t.Context(), server.URL); err == nil {
		t.Error("nobody is there, and that is no error")
	}
	text, _ := scraped(t, m, Snapshot{})
	has(t, text,
		`registration_bot_http_calls_total{api="homeserver",status="200"} 2`,
		`registration_bot_http_calls_total{api="homeserver",status="403"} 1`,
		`registration_bot_http_calls_total{api="homeserver",status="none"} 1`,
		`registration_bot_http_call_seconds_count{api="homeserver"} 3`, // without the wait in /sync
	)
	if strings.Contains(text, "secret") {
		t.Errorf("the page holds what was asked:\n%s", text)
	}
}
