//go:build e2e

package e2e

import (
	"testing"

	"maunium.net/go/mautrix/event"
)

func TestEncryptionRequired(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.restartWith("required: false", "required: true")
		client := s.device(s.Admin, phone)

		opened, err := client.PlainDM(s.Context(), s.Bot.UserID)
		s.must(err)
		plain := &chat{s, opened}
		plain.hear()
		s.says(plain.ask("create"), "encrypt")
		s.hasTokens()

		anna, _ := s.sealedDM(client)
		s.hasTokens(anna.create())
	})
}

func TestEncryptionDisabled(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.restartWith("encryption:\n  enabled: true", "encryption:\n  enabled: false")
		client := s.device(s.Admin, phone)

		invited, err := client.InviteToDM(s.Context(), s.Bot.UserID)
		s.must(err)
		reason, err := invited.Until(s.Context(), s.Bot.UserID, event.MembershipLeave)
		s.must(err)
		if reason == "" {
			s.Error("the invite is declined without a reason")
		}

		opened, err := client.PlainDM(s.Context(), s.Bot.UserID)
		s.must(err)
		plain := &chat{s, opened}
		plain.hear()
		s.hasTokens(plain.create())
	})
}

func TestEncryptedOnlyDevicesThatTheirOwnerSigned(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.restartWith("min_trust: known-device", "min_trust: cross-signed")
		person := s.personWith("manager", "anna")
		onPhone := s.device(person, phone)
		phones, room := s.sealedDM(onPhone)
		onLaptop := s.device(person, laptop)
		s.knows(onPhone, onLaptop)
		laptops := &chat{s, sealed{onLaptop.Enter(room.JSChat)}}

		refused := laptops.say("create")
		for _, side := range []*chat{phones, laptops} {
			heard := side.heardUntilAnswerTo(refused)
			s.says(heard[len(heard)-1], "couldn't be sure", "from a session that you have verified")
		}
		s.hasTokens()
		s.hasTokens(phones.create())
	})
}
