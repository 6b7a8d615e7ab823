package chat

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
)

// recorder is an Observer that remembers.
type recorder struct {
	mu     sync.Mutex
	counts map[string]int
	took   []time.Duration
}

func (r *recorder) count(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = make(map[string]int)
	}
	r.counts[what]++
}

func (r *recorder) of(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[what]
}

func (r *recorder) Answered(after time.Duration) {
	r.count("answered")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, after)
}

func (r *recorder) Unreadable(reason string) { r.count(reason) }
func (r *recorder) HandlingFailed()          { r.count("handling failed") }
func (r *recorder) SetAside()                { r.count("set aside") }
func (r *recorder) SendingFailed()           { r.count("sending failed") }
func (r *recorder) Dropped()                 { r.count("dropped") }
func (r *recorder) StartedOver()             { r.count("started over") }

func (r *recorder) expect(l *life, want map[string]int) {
	l.Helper()
	for what, n := range want {
		l.until(what, func() bool { return r.of(what) >= n })
		if got := r.of(what); got != n {
			l.Errorf("%s: %d times, want %d", what, got, n)
		}
	}
}

func TestAnAnswerIsTimedFromItsMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, &homeserver{people: []id.UserID{anna}}, func(ctx context.Context, m commands.Message) (commands.Finish, error) {
			time.Sleep(time.Second)
			return func(context.Context) (commands.Reply, error) {
				return commands.Reply{Texts: []commands.Text{said("one"), said("two")}}, nil
			}, nil
		})
		l.hears("!a:x", anna, "hello")
		l.answered("!a:x", "one", "two")
		l.seen.expect(l, map[string]int{"answered": 1})
		if took := l.seen.took[0]; took < time.Second || took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestWhatIsGivenUpIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, &homeserver{people: []id.UserID{anna}}, func(ctx context.Context, m commands.Message) (commands.Finish, error) {
			if m.Text == "poison" {
				return nil, errors.New("nobody thought of this")
			}
			return echo(ctx, m)
		})
		l.hears("!a:x", anna, "poison")
		l.seen.expect(l, map[string]int{"handling failed": maxTries, "set aside": 1, "answered": 1})

		refused := 0
		l.server.spoil(to("/send/", func(*http.Request) (*http.Response, error) {
			if refused++; refused < 3 {
				return says(http.StatusBadGateway, `{}`), nil
			}
			return says(http.StatusBadRequest, `{"errcode":"M_TOO_LARGE"}`), nil
		}), nil)
		l.hears("!a:x", anna, "hello")
		l.seen.expect(l, map[string]int{"sending failed": 2, "dropped": 1})

		l.bot.Abort()
		l.seen.expect(l, map[string]int{"started over": 1})
	})
}
