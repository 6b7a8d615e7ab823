//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"
)

func TestSynapseIsAwayForAWhile(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		before := mia.say("create")
		s.eventually("the command has had its effect", func() bool { return len(s.tokens()) == 1 })
		s.Synapse.Stop()
		s.must(s.Synapse.Start(s.Context()))
		s.distinctTokens(mia.answersTo([]id.EventID{before, mia.say("create")}))
		if n := len(s.tokens()); n != 2 {
			s.Errorf("two commands made %d tokens", n)
		}
	})
}

// When the bot comes back it answers at once: by itself Synapse would try again
// only after half a minute.
func TestCommandsWhileTheBotIsDead(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		s.Bot.Kill()
		waitsLong := s.Watch("in 32.000000s")
		var commands []id.EventID
		for range 5 {
			commands = append(commands, mia.say("create"))
		}
		s.must(waitsLong(s.Context()))

		ctx, cancel := context.WithTimeout(s.Context(), 25*time.Second)
		defer cancel()
		s.must(s.Bot.Start(ctx))
		s.must(s.Settled(ctx))
		s.distinctTokens(mia.answersTo(commands))
		s.must(ctx.Err())
		if n := len(s.tokens()); n != len(commands) {
			s.Errorf("%d commands made %d tokens", len(commands), n)
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
		held := s.Watch("Starting recoverer")
		if err := s.Bot.Stop(); err != nil {
			s.Errorf("SIGTERM should end the bot with exit code 0: %v", err)
		}
		commands = append(commands, mia.say("create"))
		s.must(held(s.Context()))

		s.startBot()
		s.distinctTokens(mia.answersTo(commands))
		if n := len(s.tokens()); n != len(commands) {
			s.Errorf("%d commands made %d tokens", len(commands), n)
		}
	})
}
