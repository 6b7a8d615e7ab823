//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

func TestSynapseIsAwayForAWhile(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		before := mia.create()
		s.Synapse.Stop()
		s.must(s.Synapse.Start(s.Context()))
		after := mia.create()
		s.hasTokens(before, after)
	})
}

// When the bot comes back it answers at once: by itself Synapse would try again
// only after half a minute.
func TestCommandsWhileTheBotIsDead(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		s.Bot.Kill()
		var commands []id.EventID
		for range 5 {
			commands = append(commands, mia.say("create"))
		}
		s.must(s.Logs(s.Context(), "in 32.000000s"))

		s.must(s.Bot.Start(s.Context()))
		ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
		defer cancel()
		first, err := mia.room.Hear(ctx)
		s.must(err)
		heard := append([]lab.Message{first}, mia.heardUntilAnswerTo(mia.say("whoami"))...)
		answers := s.answersOnce(commands, heard[:len(heard)-1])
		s.distinctTokens(answers)
		if n := len(s.tokens()); n != 5 {
			s.Errorf("five commands made %d tokens", n)
		}
	})
}

func TestStoppingLosesNothing(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		var commands []id.EventID
		for range 20 {
			commands = append(commands, mia.say("create"))
		}
		if err := s.Bot.Stop(); err != nil {
			s.Errorf("SIGTERM should end the bot with exit code 0: %v", err)
		}
		s.must(s.Bot.Start(s.Context()))
		heard := mia.heardUntilAnswerTo(mia.say("whoami"))
		s.distinctTokens(s.answersOnce(commands, heard[:len(heard)-1]))
		if n := len(s.tokens()); n != len(commands) {
			s.Errorf("%d commands made %d tokens", len(commands), n)
		}
	})
}

func TestSecondBotOnTheSameDatabase(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		out, err := s.Bot.Twin(s.Context())
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			s.Errorf("a second bot should give up with exit code 1, got %v", err)
		}
		if !strings.Contains(out, "another") {
			s.Errorf("it should say that another one is running:\n%s", out)
		}
		mia.create()
	})
}
