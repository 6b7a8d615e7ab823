//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestEncryptedBotShowsAsSignedByItsOwner(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		client := s.device(s.personWith("inviter", "anna"), phone)
		anna, _ := s.sealedDM(client)
		shown, err := client.Identity(s.Context(), s.Bot.UserID)
		s.must(err)
		if len(shown.Devices) != 1 || !shown.Devices[0].SignedByOwner || shown.MasterKey == "" {
			s.Fatalf("the client shows the bot as %+v, want one device, signed by its owner", shown)
		}

		s.T.Log("what the client shows is what the bot says, in the chat and on its server")
		command, err := s.Bot.Command(s.Context(), "-c", "config.yaml", "fingerprint")
		if err != nil {
			s.Fatalf("matrix-registration-bot fingerprint: %v\n%s", err, command)
		}
		for _, key := range []string{
			shown.Devices[0].ID.String(), groupsOfFour(shown.Devices[0].Fingerprint), groupsOfFour(shown.MasterKey),
		} {
			s.says(anna.ask("whoami"), key)
			if !strings.Contains(command, key) {
				s.Errorf("`fingerprint` does not show %q:\n%s", key, command)
			}
		}

		s.must(s.Bot.Stop())
		s.must(s.Bot.Start(s.Context()))
		anna.ask("whoami")
		after, err := client.Identity(s.Context(), s.Bot.UserID)
		s.must(err)
		if after.MasterKey != shown.MasterKey || len(after.Devices) != 1 || after.Devices[0] != shown.Devices[0] {
			s.Errorf("before the restart the client shows %+v, after it %+v", shown, after)
		}
	})
}

func TestEncryptedWithSignedDevicesOnly(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		person := s.personWith("inviter", "anna")
		onPhone := s.device(person, strict)
		phones, room := s.sealedDM(onPhone)
		s.hasTokens(phones.create())

		s.T.Log("a second device, once the first has signed it")
		onLaptop := s.device(person, laptop)
		s.knows(onPhone, onLaptop)
		s.must(onPhone.SignDevice(s.Context(), onLaptop.DeviceID))
		laptops := &chat{s, sealed{onLaptop.Enter(room.JSChat)}}
		asked := laptops.say("whoami")
		laptops.heardUntilAnswerTo(asked)
		phones.heardUntilAnswerTo(asked)
	})
}

func TestEncryptedEmojiVerificationIsDeclined(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		client := s.device(s.personWith("inviter", "anna"), phone)
		anna, room := s.sealedDM(client)
		cancelled, err := room.RequestVerification(s.Context())
		s.must(err)
		if cancelled.CancelledBy != s.Bot.UserID {
			s.Errorf("cancelled by %s (%s), want the bot", cancelled.CancelledBy, cancelled.Code)
		}
		shown, err := client.Identity(s.Context(), s.Bot.UserID)
		s.must(err)
		s.says(anna.hear(), "compare", shown.Devices[0].ID.String(), groupsOfFour(shown.Devices[0].Fingerprint))
		anna.ask("whoami")
	})
}

func TestEncryptedIdentityOfAPersonReset(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		client := s.device(s.personWith("inviter", "anna"), phone)
		anna, room := s.sealedDM(client)
		s.must(client.ResetIdentity(s.Context()))
		s.must(room.Rotate(s.Context()))
		s.says(anna.ask("whoami"), "inviter")
	})
}

func TestEncryptedKeyComesLate(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		client := s.device(s.personWith("inviter", "anna"), phone)
		anna, room := s.sealedDM(client)
		other := s.chatWith(s.personWith("inviter", "ben"))

		for _, killed := range []bool{false, true} {
			s.must(client.HoldKeys(s.Context()))
			s.must(room.Rotate(s.Context()))
			asked := anna.say("whoami")
			other.ask("whoami") // the homeserver pushes in order: the bot has got the message before
			if killed {
				s.T.Log("the bot dies while it waits")
				s.Bot.Kill()
				s.must(s.Bot.Start(s.Context()))
			}
			s.must(client.ReleaseKeys(s.Context()))
			anna.heardUntilAnswerTo(asked)
		}
	})
}

func TestEncryptedKeyNeverComes(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		client := s.device(s.personWith("inviter", "anna"), phone)
		anna, room := s.sealedDM(client)
		opened, err := client.Group(s.Context(), s.Bot.UserID, s.person("ben").UserID)
		s.must(err)
		annas, group := &chat{s, sealed{opened}}, sealed{opened}
		annas.hear()

		s.must(client.HoldKeys(s.Context()))
		s.must(group.Rotate(s.Context()))
		s.must(room.Rotate(s.Context()))
		annas.say("!reg whoami")
		anna.say("whoami")
		anna.say("create")
		s.says(anna.hear(), "read", "again")
		s.must(client.DropKeys(s.Context()))

		s.T.Log("one sentence for the two messages of a session, and none in a group")
		s.must(room.Rotate(s.Context()))
		s.must(group.Rotate(s.Context()))
		anna.silence("")
		annas.silence("!reg ")
		s.hasTokens()
	})
}

func TestEncryptedBlockedByTheClient(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		client := s.device(s.personWith("inviter", "anna"), phone)
		anna, room := s.sealedDM(client)
		shown, err := client.Identity(s.Context(), s.Bot.UserID)
		s.must(err)
		s.must(client.Block(s.Context(), s.Bot.UserID, shown.Devices[0].ID))
		s.must(room.Rotate(s.Context()))
		anna.say("whoami")
		s.says(anna.hear(), "read", "again")
	})
}
