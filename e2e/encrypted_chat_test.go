//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

func TestEncryptedCommands(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		anna, room := s.sealedDM(s.device(s.personWith("admin", "anna"), phone))

		s.says(anna.ask("help"), "create", "list", "delete-all")
		s.says(anna.ask("whoami"), "admin")
		s.says(anna.ask("craete"), "create")

		token := anna.create()
		s.hasTokens(token)
		s.says(anna.ask("show "+token), token)
		s.says(anna.ask("list"), token)

		s.says(anna.ask("allow @ben:friends.test"), "@ben:friends.test")
		s.says(anna.allowed(), "@ben:friends.test", s.name)
		s.says(anna.ask("disallow @ben:friends.test"), "@ben:friends.test")

		s.says(anna.ask("delete "+token), token)
		s.hasTokens()

		s.T.Log("delete-all, confirmed by a reaction and by a word")
		anna.create()
		question := anna.ask("delete-all")
		_, err := room.Marks(s.Context(), question.ID, 2)
		s.must(err)
		anna.react(question, "confirm")
		s.says(anna.hear(), "1")
		s.hasTokens()

		anna.create()
		anna.ask("delete-all")
		s.says(anna.ask("confirm"), "1")
		s.hasTokens()
	})
}

func TestEncryptedTwoDevices(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		person := s.personWith("inviter", "anna")
		onPhone := s.device(person, phone)
		onLaptop := s.device(person, laptop)
		phones, room := s.sealedDM(onPhone)
		laptops := &chat{s, sealed{onLaptop.Enter(room.JSChat)}}
		laptops.hear()

		for _, asking := range []*chat{phones, laptops} {
			said := asking.say("whoami")
			s.says(phones.heardUntilAnswerTo(said)[0], "inviter")
			s.says(laptops.heardUntilAnswerTo(said)[0], "inviter")
		}

		s.must(onLaptop.LogOut(s.Context()))
		s.says(phones.ask("whoami"), "inviter")
	})
}

func TestEncryptedDeviceAddedLater(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		person := s.personWith("inviter", "anna")
		onPhone := s.device(person, phone)
		phones, room := s.sealedDM(onPhone)
		phones.ask("whoami")

		onLaptop := s.device(person, laptop)
		s.knows(onPhone, onLaptop)
		laptops := &chat{s, sealed{onLaptop.Enter(room.JSChat)}}
		asked := phones.say("whoami")
		phones.heardUntilAnswerTo(asked)
		laptops.heardUntilAnswerTo(asked)
		laptops.ask("whoami")
	})
}

// Homeservers show a new device a moment before they have its one-time keys.
func TestEncryptedNewDeviceWhoseKeysComeLater(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		person := s.personWith("inviter", "anna")
		phones, room := s.sealedDM(s.device(person, phone))
		phones.ask("whoami")

		onTablet, err := s.LogIn(s.Context(), person.UserID, person.Password)
		s.must(err)
		s.must(laboratory.Encrypt(s.Context(), onTablet))
		s.must(onTablet.UseUpKeys(s.Context()))
		tablets := &chat{s, onTablet.Enter(room.RoomID, s.Bot.UserID)}
		asked := phones.say("whoami")
		s.eventually("the bot waits for the tablet's keys", func() bool {
			return strings.Contains(s.Bot.Log(), "no one-time keys yet")
		})
		s.must(onTablet.UploadKeys(s.Context()))
		phones.heardUntilAnswerTo(asked)
		tablets.heardUntilAnswerTo(asked)

		s.T.Log("a device that never has any holds up nobody for long")
		forgotten, err := s.LogIn(s.Context(), person.UserID, person.Password)
		s.must(err)
		s.must(laboratory.Encrypt(s.Context(), forgotten))
		s.must(forgotten.UseUpKeys(s.Context()))
		phones.ask("whoami")
	})
}

func TestEncryptedGroup(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		// Ben is not strict: such a client of matrix-js-sdk can't read what anybody but
		// the inviter has said before he joined, and here that is the bot's greeting.
		anna := s.device(s.personWith("inviter", "anna"), strict)
		ben := s.device(s.personWith("manager", "ben"), phone)
		annas, bens, room := s.sealedGroup(anna, ben)

		asked := annas.say("!reg create")
		facts := annas.heardUntilAnswerTo(asked)[0]
		s.hasTokens(facts.Codes()[0])
		s.says(annas.hear(), facts.Codes()[0])
		if read := bens.heardUntilAnswerTo(asked); read[len(read)-1].Body != facts.Body {
			s.Errorf("ben reads %q, anna %q", read[len(read)-1].Body, facts.Body)
		}

		annas.say("create")
		annas.silence("!reg ")

		mentioned, err := room.Mention(s.Context(), "whoami")
		s.must(err)
		s.says(annas.heardUntilAnswerTo(mentioned)[0], "inviter")

		asked = bens.say("!reg whoami")
		heard := bens.heardUntilAnswerTo(asked)
		s.says(heard[len(heard)-1], "manager")
	})
}

func TestEncryptedMemberRemoved(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		anna := s.device(s.personWith("inviter", "anna"), phone)
		ben := s.device(s.person("ben"), phone)
		annas, _, room := s.sealedGroup(anna, ben)
		before := annas.ask("!reg whoami")

		s.must(room.Kick(s.Context(), ben.UserID))
		after := annas.ask("!reg whoami")
		if s.session(room, before) == s.session(room, after) {
			s.Error("the bot goes on with a session whose key the removed member has")
		}
	})
}

func TestEncryptedSessionsRotateAsTheRoomWants(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		anna := s.device(s.personWith("inviter", "anna"), phone)
		opened, err := anna.PlainDM(s.Context(), s.Bot.UserID)
		s.must(err)
		plain := &chat{s, opened}
		plain.hear()
		s.must(opened.Encrypt(s.Context(), 2))

		annas, room := &chat{s, sealed{opened}}, sealed{opened}
		var sessions []string
		for range 6 {
			sessions = append(sessions, s.session(room, annas.ask("whoami")))
		}
		if n := len(slices.Compact(slices.Clone(sessions))); n < 3 {
			s.Errorf("6 messages of the bot in %d sessions of at most 2: %q", n, sessions)
		}
	})
}

func TestEncryptionSwitchedOnMidway(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		anna := s.device(s.personWith("inviter", "anna"), phone)
		opened, err := anna.PlainDM(s.Context(), s.Bot.UserID)
		s.must(err)
		plain := &chat{s, opened}
		plain.hear()
		if plain.ask("whoami").Encrypted {
			s.Error("the answer in a plain room is encrypted")
		}

		s.must(opened.Encrypt(s.Context(), 0))
		annas := &chat{s, sealed{opened}}
		s.hasTokens(annas.create())
	})
}

func TestEncryptedFiftyInARow(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		anna, _ := s.sealedDM(s.device(s.personWith("manager", "anna"), phone))
		var commands []id.EventID
		for range 50 {
			commands = append(commands, anna.say("create"))
		}
		s.distinctTokens(s.answersOnce(commands, anna.heardUntilAnswerTo(commands[49])))
		anna.hear() // the last one to be forwarded
	})
}

func TestEncryptedLongAnswer(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		for _, text := range numbered("encrypted-token-%02d", 25) {
			s.token(lab.Token{Text: text})
		}
		anna, _ := s.sealedDM(s.device(s.personWith("manager", "anna"), phone))
		list := anna.ask("list")
		if n := strings.Count(list.Body, "encrypted-token-"); n == 0 {
			s.Errorf("list shows none of 25 tokens:\n%s", list.Body)
		}
	})
}
