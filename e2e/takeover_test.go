//go:build e2e

package e2e

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/faults"
	"matrix-registration-bot/e2e/lab"
)

// Of several copies one works with the database: the next waits for its end, and
// takes over what it leaves, also from one that was killed.
func TestRollingRestart(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		tokens := 0
		for name, end := range map[string]func(*lab.Bot){
			"SIGTERM": func(b *lab.Bot) { s.must(b.Stop()) },
			"kill -9": (*lab.Bot).Kill,
		} {
			next := s.waitingCopy()
			var said []id.EventID
			for range 10 {
				said = append(said, mia.say("create"))
			}
			running := next.Watch("INF Running ")
			end(s.Bot)
			began := time.Now()
			s.must(running(s.Context())) // how long it may wait is for the tests of store
			s.Logf("%s: the next copy works after %s", name, time.Since(began).Round(10*time.Millisecond))
			s.Bot = next
			s.distinctTokens(mia.answersTo(said))
			if tokens += len(said); len(s.tokens()) != tokens {
				s.Errorf("%s: %d commands made %d tokens", name, tokens, len(s.tokens()))
			}
		}

		s.T.Log("one that waits in vain gives up")
		out, err := s.Bot.Twin(s.Context())
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			s.Errorf("a surplus copy should give up with exit code 1, got %v", err)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		const words = "matrix-registration-bot: another matrix-registration-bot uses this database and did not end within 30s: stop it first"
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, words) {
			s.Errorf("its last line should say why, and is:\n%s", last)
		}
		mia.create()
	})
}

// The right to a PostgreSQL database hangs on a connection. When that breaks,
// another copy may begin at any time, so the first must have stopped by then.
func TestTheRightToTheDatabaseIsLost(t *testing.T) {
	onDatabase(t, "postgres", func(s *scene) {
		proxy := s.throughProxy()
		mia := s.chatWith(s.personWith("manager", "mia"))
		// On another port, because the first copy keeps its own.
		next := s.waitingCopy("APPSERVICE_LISTEN=127.0.0.1:0")
		held := proxy.Spoil(0, create, faults.Delay())
		said := mia.say("create")
		s.eventually("the command waits for the homeserver", func() bool { return held.Met() == 1 })

		lost := s.Bot.Watch("The right to the database is lost")
		ended, err := postgres.Disconnect(s.Context(), "bot", true)
		s.must(err)
		if ended != 1 {
			s.Fatalf("%d connections held the lock", ended)
		}
		s.must(lost(s.Context()))
		s.eventually("a copy goes on with the command", func() bool { return held.Met() == 2 })
		if held.AtOnce() != 1 {
			s.Error("two copies worked at the same time")
		}
		held.Heal()
		mia.answersTo([]id.EventID{said})
		if n := len(s.tokens()); n != 1 {
			s.Errorf("one command made %d tokens", n)
		}

		next.Kill()
		s.must(s.Bot.Ready(s.Context()))
		mia.create()
	})
}

// waitingCopy starts another copy of the bot, which waits for the database.
func (s *scene) waitingCopy(environment ...string) *lab.Bot {
	s.Helper()
	next := laboratory.Successor(s.Bot)
	s.must(next.Launch(environment...))
	s.Cleanup(func() {
		if next != s.Bot {
			next.Kill()
		}
	})
	s.must(next.Watch("Waiting for the database")(s.Context()))
	return next
}
