package chat

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// A request without an answer is logged, but not what it was to bring.
func TestTheLogHoldsNoMessagesThatCouldNotBeSent(t *testing.T) {
	answers := map[string]fault{
		"the connection breaks":     func(*http.Request) (*http.Response, error) { return nil, errors.New("reset by peer") },
		"the answer can't be read":  func(*http.Request) (*http.Response, error) { return says(http.StatusOK, `{"event_id":`), nil },
		"the homeserver has a flaw": func(*http.Request) (*http.Response, error) { return says(http.StatusInternalServerError, `{}`), nil },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			client, err := newClient(Config{
				Homeserver: "http://homeserver", UserID: theBot, ASToken: "secret", Log: zerolog.New(&log).Level(zerolog.DebugLevel),
				HTTP: &http.Client{Transport: &homeserver{fault: answer}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = client.SendText(t.Context(), "!room:x", "the token is abcdef"); err == nil {
				t.Fatal("the message was sent")
			}
			for _, kept := range []string{"abcdef", "secret"} {
				if strings.Contains(log.String(), kept) {
					t.Errorf("the log has %q: %s", kept, log.String())
				}
			}
		})
	}
}

// spring is an answer without an end.
type spring struct{ read int }

func (s *spring) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	s.read += len(p)
	return len(p), nil
}

func (*spring) Close() error { return nil }

func TestAnAnswerWithoutEndIsNotRead(t *testing.T) {
	var answer spring
	client, err := newClient(Config{
		Homeserver: "http://homeserver", UserID: theBot, ASToken: "secret", Log: zerolog.Nop(),
		HTTP: &http.Client{Transport: &homeserver{fault: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Body: &answer}, nil
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.State(t.Context(), "!room:x"); err == nil {
		t.Error("an endless answer was taken")
	}
	if answer.read > 2*maxAnswer {
		t.Errorf("%d bytes of it were read", answer.read)
	}
}

// A redirect would carry messages, and to a neighbour of the homeserver the
// as_token too, to whoever is named there.
func TestTheChatFollowsNoRedirects(t *testing.T) {
	var elsewhere []string
	client, err := newClient(Config{
		Homeserver: "http://homeserver", UserID: theBot, ASToken: "secret", Log: zerolog.Nop(),
		HTTP: &http.Client{Transport: &homeserver{fault: func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "homeserver" {
				elsewhere = append(elsewhere, r.URL.Host)
				return says(http.StatusOK, `{"event_id":"$sent"}`), nil
			}
			moved := says(http.StatusTemporaryRedirect, "")
			moved.Header.Set("Location", "http://elsewhere.homeserver/")
			return moved, nil
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.SendText(t.Context(), "!room:x", "the token is abcdef")
	if elsewhere != nil || !isTemporary(err) {
		t.Errorf("asked %q instead, error %v; want an error that can pass", elsewhere, err)
	}
}
