//go:build e2e

package e2e

import (
	"testing"

	"maunium.net/go/mautrix/event"
)

func TestGroupRoom(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia, ben := s.personWith("manager", "mia"), s.person("ben")
		rooms := s.groupOf(mia, ben)
		mias, bens := rooms[0], rooms[1]

		// Chatter that looks like commands is left alone.
		for _, chatter := range []string{"help", "list the songs please", "delete it all", "create", "!regular help"} {
			bens.say(chatter)
			mias.say(chatter)
		}
		s.says(mias.ask("!reg help"), "create")

		asked, err := mias.room.Mention(s.Context(), "whoami")
		s.must(err)
		heard := mias.heardUntilAnswerTo(asked)
		if len(heard) != 1 {
			s.Errorf("only the mention should be answered, heard %d messages", len(heard))
		}
		s.says(heard[0], "manager")
	})
}

func TestTokensStayOutOfPlainGroups(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.personWith("manager", "mia")
		secret := s.chatWith(mia).create()
		room := s.groupOf(mia, s.person("ben"))[0]
		for _, command := range []string{"create", "list", "show " + secret} {
			answer := room.ask("!reg " + command)
			s.says(answer, s.Bot.UserID.String())
			s.saysNot(answer, secret)
		}
		s.hasTokens(secret)
	})
}

func TestDirectChatThatBecomesAGroup(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia, ben := s.personWith("manager", "mia"), s.person("ben")
		dm := s.chatWith(mia)
		s.says(dm.ask("whoami"), "manager")
		s.must(dm.room.Invite(s.Context(), ben.UserID))

		dm.say("create") // somebody else would read it
		dm.silence("!reg ")
		s.hasTokens()
	})
}

func TestBotLeavesEmptyRooms(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		dm, err := s.personWith("manager", "mia").DM(s.Context(), s.Bot.UserID)
		s.must(err)
		s.must(dm.Leave(s.Context()))
		s.must(s.Empty(s.Context(), dm.RoomID))
	})
}

func TestRoomUpgrade(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.personWith("manager", "mia")
		old, err := mia.Group(s.Context(), s.Bot.UserID, s.person("ben"))
		s.must(err)
		successor, err := old.Upgrade(s.Context())
		s.must(err)
		upgraded := &chat{s, successor}
		upgraded.member(event.MembershipJoin)
		upgraded.hear() // its greeting
		s.says(upgraded.ask("!reg whoami"), "manager")
	})
}
