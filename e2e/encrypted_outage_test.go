//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

func TestEncryptedKilledBeforeTheAnswer(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		client := s.device(s.personWith("manager", "anna"), phone)
		anna, room := s.sealedDM(client)
		var commands []id.EventID
		var heard []lab.Message
		for i := range 8 {
			s.must(room.Rotate(s.Context())) // so that each needs a key of its own
			commands = append(commands, anna.say("create"))
			if i%2 == 1 {
				s.eventually("the command has had its effect", func() bool { return len(s.tokens()) > i })
			}
			s.Bot.Kill()
			s.must(s.Bot.Start(s.Context()))
			heard = append(heard, anna.heardUntilAnswerTo(commands[i])...)
		}
		heard = append(heard, anna.heardUntilAnswerTo(anna.say("whoami"))...)
		heard = heard[:len(heard)-1]
		s.distinctTokens(s.answersOnce(commands, heard))
		if n := len(s.tokens()); n != len(commands) {
			s.Errorf("%d commands made %d tokens", len(commands), n)
		}
	})
}

func TestEncryptedWhileDown(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		client := s.device(s.personWith("manager", "anna"), phone)
		anna, room := s.sealedDM(client)
		s.must(s.Bot.Stop())
		var commands []id.EventID
		for range 5 {
			s.must(room.Rotate(s.Context()))
			commands = append(commands, anna.say("create"))
		}
		s.must(s.Bot.Start(s.Context()))
		s.distinctTokens(s.answersOnce(commands, anna.heardUntilAnswerTo(commands[4])))
	})
}

func TestEncryptedHomeserverRestarts(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		anna, room := s.sealedDM(s.device(s.personWith("manager", "anna"), phone))
		anna.ask("whoami")
		s.Synapse.Stop()
		s.must(s.Synapse.Start(s.Context()))
		s.must(room.Rotate(s.Context()))
		s.hasTokens(anna.create())
	})
}

func TestEncryptedNewDeviceWhenTheKeysAreUsedUp(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		person := s.personWith("manager", "anna")
		_, room := s.sealedDM(s.device(person, phone))
		thief := s.device(s.person("thief"), phone)

		s.must(s.Bot.Stop())
		oneTime, fallback, err := thief.ClaimKeys(s.Context(), s.Bot.UserID, 60)
		s.must(err)
		if oneTime == 0 || fallback == 0 {
			s.Fatalf("the bot had %d one-time keys and gave %d times a fallback key", oneTime, fallback)
		}
		anna := &chat{s, sealed{s.device(person, laptop).Enter(room.JSChat)}}
		asked := anna.say("whoami")

		s.must(s.Bot.Start(s.Context()))
		anna.heardUntilAnswerTo(asked)

		s.T.Log("the keys are there again")
		s.eventually("the bot has one-time keys again", func() bool {
			oneTime, _, err := thief.ClaimKeys(s.Context(), s.Bot.UserID, 1)
			s.must(err)
			return oneTime == 1
		})
	})
}

func TestEncryptedDatabaseLost(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		client := s.device(s.Admin, phone)
		anna, room := s.sealedDM(client)
		s.hasTokens(anna.create())
		before, err := client.Identity(s.Context(), s.Bot.UserID)
		s.must(err)

		s.must(s.Bot.Stop())
		s.must(s.Bot.LoseDatabase(s.Context()))
		whileDown := anna.say("create")
		s.doctorSays("no device yet")
		s.must(s.Bot.Start(s.Context()))
		s.eventually("the bot says that its identity is a new one", func() bool {
			return strings.Contains(s.Bot.Log(), "another cross-signing identity than the database has; making a new one")
		})

		s.T.Log("the old room: encrypted answers, and nothing in plain text")
		s.eventually("the client knows the bot's new device alone", func() bool {
			after, err := client.Identity(s.Context(), s.Bot.UserID)
			s.must(err)
			return len(after.Devices) == 1 && after.Devices[0].ID != before.Devices[0].ID &&
				after.Devices[0].SignedByOwner && after.MasterKey != before.MasterKey
		})
		s.doctorSays("signed by its owner")
		heard := anna.heardUntilAnswerTo(anna.say("whoami"))
		for _, message := range heard[:len(heard)-1] {
			if message.InReplyTo != whileDown && message.InReplyTo != "" {
				s.Errorf("the bot said, out of nowhere: %s", message.Body)
			}
		}
		anna.create()
		if said := room.plainText(s.Bot); len(said) > 0 {
			s.Errorf("in plain text in an encrypted room: %q", said)
		}

		s.T.Log("a new room")
		again, _ := s.sealedDM(client)
		again.create()
	})
}

// doctorSays checks that `doctor` says something, whatever else it finds.
func (s *scene) doctorSays(words string) {
	s.Helper()
	said, err := s.Bot.Command(s.Context(), "-c", "config.yaml", "doctor")
	if !strings.Contains(said, words) {
		s.Errorf("doctor does not say %q (%v):\n%s", words, err, said)
	}
}
