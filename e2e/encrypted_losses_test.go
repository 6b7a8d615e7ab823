//go:build e2e

package e2e

import (
	"errors"
	"os/exec"
	"regexp"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

func TestEncryptedDeviceDeletedByAnAdmin(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		client := s.device(s.personWith("inviter", "anna"), phone)
		anna, room := s.sealedDM(client)
		before := s.shown(client)

		s.T.Log("while the bot runs")
		s.must(s.DeleteDevice(s.Context(), s.Bot.UserID, before.Devices[0].ID))
		s.isBack(client, before)
		s.must(room.Rotate(s.Context()))
		s.says(anna.ask("whoami"), before.Devices[0].ID.String())

		s.T.Log("while it is down")
		s.must(s.Bot.Stop())
		s.must(s.DeleteDevice(s.Context(), s.Bot.UserID, before.Devices[0].ID))
		s.startBot()
		s.isBack(client, before)
		s.must(room.Rotate(s.Context()))
		s.says(anna.ask("whoami"), before.Devices[0].ID.String())
	})
}

func TestEncryptedWrongPickleKey(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		client := s.device(s.Admin, phone)
		anna, room := s.sealedDM(client)
		s.says(anna.ask("allow @ben:friends.test"), "@ben:friends.test")
		before := s.shown(client)

		s.must(s.Bot.Stop())
		s.must(s.Bot.EditConfig(`pickle_key: "`, `pickle_key: "another`))
		s.Cleanup(func() { _ = s.Bot.EditConfig(`pickle_key: "another`, `pickle_key: "`) })
		for _, command := range []string{"run", "fingerprint"} {
			said, err := s.Bot.Command(s.Context(), "-c", "config.yaml", command)
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 {
				s.Errorf("`%s` ended with %v, want exit status 2\n%s", command, err, said)
			}
			if !regexp.MustCompile(`config\.yaml:\d+: encryption\.pickle_key`).MatchString(said) {
				s.Errorf("`%s` does not name file, line and encryption.pickle_key:\n%s", command, said)
			}
		}

		s.T.Log("the former key opens everything")
		s.must(s.Bot.EditConfig(`pickle_key: "another`, `pickle_key: "`))
		s.startBot()
		s.must(room.Rotate(s.Context()))
		s.says(anna.allowed(), "@ben:friends.test")
		anna.ask("disallow @ben:friends.test")
		s.isBack(client, before)
	})
}

// The bot once runs on a new database, which gives it another identity, and then
// its old database comes back.
func TestEncryptedForeignIdentityOnTheHomeserver(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		client := s.device(s.Admin, phone)
		anna, room := s.sealedDM(client)
		before := s.shown(client)

		s.must(s.Bot.Stop())
		backup, err := s.Bot.BackUp()
		s.must(err)
		s.must(s.Bot.LoseDatabase(s.Context()))
		s.startBot()
		between := s.shownAnew(client, before)

		s.must(s.Bot.Stop())
		s.must(backup.Restore())
		s.startBot()
		after := s.shownAnew(client, between)
		if after.MasterKey == before.MasterKey {
			s.Error("the homeserver has taken a former identity again: docs/encryption.md says that it doesn't")
		}
		s.must(room.Rotate(s.Context()))
		s.says(anna.ask("whoami"), groupsOfFour(after.MasterKey), after.Devices[0].ID.String())
	})
}

func TestEncryptedOlderCopyOfTheDatabase(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		client := s.device(s.Admin, phone)
		anna, room := s.sealedDM(client)
		before := s.shown(client)
		s.must(s.Bot.Stop())
		backup, err := s.Bot.BackUp()
		s.must(err)
		s.startBot()
		s.useKeys(room, anna, 1)
		token := anna.create()

		s.must(s.Bot.Stop())
		s.must(backup.Restore())
		s.Synapse.Stop() // it would answer the first /sync from memory, as it did after the backup
		s.must(s.Synapse.Start(s.Context()))
		conflicts := s.Logged(oneTimeKeyConflict)
		s.startBot()
		s.must(room.Rotate(s.Context()))
		s.says(anna.ask("show "+token), token)
		s.isBack(client, before)
		s.newDevicesAreAnswered(room, s.Admin)
		if said := room.plainText(s.Bot); len(said) > 0 {
			s.Errorf("in plain text in an encrypted room: %q", said)
		}
		if n := s.Logged(oneTimeKeyConflict) - conflicts; n != 1 {
			s.Errorf("the bot uploaded %d times one-time keys under ids that the homeserver has already, want once", n)
		}
	})
}

// oneTimeKeyConflict is what Synapse says of other keys under ids that it has.
const oneTimeKeyConflict = "already exists. Old key:"

func TestEncryptedHomeserverRestoredFromABackup(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		person := s.personWith("manager", "anna")
		client := s.device(person, phone)
		anna, room := s.sealedDM(client)
		s.Synapse.Stop()
		backup, err := s.Synapse.BackUp()
		s.must(err)
		s.must(s.Synapse.Start(s.Context()))
		s.must(s.Settled(s.Context()))
		s.useKeys(room, anna, 3) // so often that the bot forgets those of the backup

		client.Close() // it has its own losses now
		s.Synapse.Stop()
		s.must(backup.Restore())
		s.must(s.Synapse.Start(s.Context()))
		s.must(s.Settled(s.Context()))
		s.newDevicesAreAnswered(room, person)
		ben, _ := s.sealedDM(s.device(s.personWith("manager", "ben"), phone))
		s.hasTokens(ben.create())
	})
}

func TestEncryptionRequiredOfEachMessage(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		s.restartWith("required: false", "required: true")
		anna, room := s.sealedDM(s.device(s.Admin, phone))
		asked, err := s.Admin.SayInPlainText(s.Context(), room.RoomID, "create")
		s.must(err)
		refusal := anna.hear()
		if refusal.InReplyTo != asked {
			s.Errorf("the bot answered %s, want %s", refusal.InReplyTo, asked)
		}
		s.says(refusal, "encrypt")
		s.hasTokens()
		s.hasTokens(anna.create())
	})
}

// shown is what a client shows of the bot, once that is one device, signed by its
// owner.
func (s *scene) shown(client *lab.JSClient) lab.JSIdentity {
	s.Helper()
	var shown lab.JSIdentity
	s.eventually("the client shows one device of the bot, signed by its owner", func() bool {
		var err error
		shown, err = client.Identity(s.Context(), s.Bot.UserID)
		s.must(err)
		return len(shown.Devices) == 1 && shown.Devices[0].SignedByOwner
	})
	return shown
}

// shownAnew is what a client shows of the bot, once that is another identity than
// before.
func (s *scene) shownAnew(client *lab.JSClient, before lab.JSIdentity) lab.JSIdentity {
	s.Helper()
	var shown lab.JSIdentity
	s.eventually("the client shows another identity of the bot", func() bool {
		shown = s.shown(client)
		return shown.MasterKey != before.MasterKey
	})
	return shown
}

// isBack waits until the bot can be reached by new devices, and checks that it is
// the same device and identity as before.
func (s *scene) isBack(client *lab.JSClient, before lab.JSIdentity) {
	s.Helper()
	s.hasOneTimeKeys(client)
	after := s.shown(client)
	if after.MasterKey != before.MasterKey || after.Devices[0] != before.Devices[0] {
		s.Errorf("the client shows %+v, before the loss it was %+v", after, before)
	}
}

// hasOneTimeKeys waits until the homeserver has one-time keys of the bot.
func (s *scene) hasOneTimeKeys(client *lab.JSClient) {
	s.Helper()
	s.eventually("the bot has one-time keys", func() bool {
		oneTime, _, err := client.ClaimKeys(s.Context(), s.Bot.UserID, 1)
		s.must(err)
		return oneTime == 1
	})
}

// useKeys makes the bot replace most of its one-time keys, several times over.
func (s *scene) useKeys(room sealed, chat *chat, times int) {
	s.Helper()
	thief := s.device(s.person("thief"), phone)
	for range times {
		_, _, err := thief.ClaimKeys(s.Context(), s.Bot.UserID, 45)
		s.must(err)
		s.must(room.Rotate(s.Context()))
		chat.ask("whoami")
		s.hasOneTimeKeys(thief)
	}
}

// newDevicesAreAnswered has new devices of a person write first in a room of theirs:
// one that gets a one-time key which the bot has lost, and one that comes when all
// of those are gone. The bot asks them for the keys of their messages.
func (s *scene) newDevicesAreAnswered(room sealed, person *lab.Person) {
	s.Helper()
	for range 2 {
		client := s.device(person, laptop)
		laptops := &chat{s, sealed{client.Enter(room.JSChat)}}
		asked := laptops.say("whoami")
		heard := laptops.heardUntilAnswerTo(asked)
		s.says(heard[len(heard)-1], "your role")
		_, _, err := client.ClaimKeys(s.Context(), s.Bot.UserID, 60)
		s.must(err)
	}
}
