//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/faults"
)

// create are the requests that make tokens.
var create = faults.To("POST", "/registration_tokens/new")

func TestStoppingFinishesWhatIsUnderWay(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		mia := s.chatWith(s.personWith("manager", "mia"))
		held := proxy.Spoil(0, create, faults.Delay())
		running := mia.say("create")
		s.eventually("the command waits for the homeserver", func() bool { return held.Met() > 0 })
		pushed := id.EventID("$open-" + s.name)
		finish, err := s.Bot.BeginPush(s.Context(), "open-"+s.name, `{"events": [`+s.pushedText(pushed.String(), mia, "whoami")+`]}`)
		s.must(err)

		s.terminate()
		held.Heal()
		if status, answer, err := finish(); err != nil || status != http.StatusOK {
			s.Errorf("the open request got %d %s (%v)", status, answer, err)
		}
		s.endsWith(0)
		if n := len(s.tokens()); n != 1 {
			s.Errorf("the bot ended before its command, with %d tokens made", n)
		}
		s.startBot()
		mia.answersTo([]id.EventID{running, pushed})
		if n := len(s.tokens()); n != 1 {
			s.Errorf("one command made %d tokens", n)
		}
	})
}

// Docker kills ten seconds after it has asked.
func TestStoppingHasAnEnd(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		mia := s.chatWith(s.personWith("manager", "mia"))
		tokens := 0
		for name, stop := range map[string]func(){
			"in time": func() {
				s.terminate()
				s.endsWith(0)
			},
			"at once, if asked twice": func() {
				s.terminate()
				s.must(s.Bot.Terminate())
				s.endsWith(1)
			},
		} {
			s.T.Log(name)
			held := proxy.Spoil(0, create, faults.Silence())
			said := mia.say("create")
			s.eventually("the command waits for the homeserver", func() bool { return held.Met() > 0 })
			stop()
			held.Heal()
			s.startBot()
			mia.answersTo([]id.EventID{said})
			if tokens++; len(s.tokens()) != tokens {
				s.Errorf("%d commands made %d tokens", tokens, len(s.tokens()))
			}
		}
	})
}

// terminate asks the bot to stop, and returns when it has begun to.
func (s *scene) terminate() {
	s.Helper()
	stopping := s.Bot.Watch("INF Stopping ")
	s.must(s.Bot.Terminate())
	s.must(stopping(s.Context()))
}

// endsWith checks with which exit code the bot ends within ten seconds.
func (s *scene) endsWith(want int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	code, err := s.Bot.Ended(ctx)
	s.must(err)
	if code != want {
		s.Errorf("the bot ended with exit code %d, want %d", code, want)
	}
}
