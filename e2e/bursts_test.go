//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

const burst = 200

func TestBurstInOneRoom(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		var commands []id.EventID
		for range burst {
			commands = append(commands, mia.say("create"))
		}
		s.distinctTokens(mia.answersTo(commands))
		if n := len(s.tokens()); n != burst {
			s.Errorf("%d commands made %d tokens", burst, n)
		}
	})
}

func TestBurstInTwentyRooms(t *testing.T) {
	const rooms = 20
	onEachDatabase(t, func(s *scene) {
		s.allow("@mia*."+s.name+":lab.test", "manager")
		var chats []*chat
		for i := range rooms {
			chats = append(chats, s.chatWith(s.person(fmt.Sprintf("mia%d", i))))
		}
		commands := make([][]id.EventID, rooms)
		for range burst / rooms {
			for i, c := range chats {
				commands[i] = append(commands[i], c.say("create"))
			}
		}
		var all []lab.Message
		for i, c := range chats {
			all = append(all, c.answersTo(commands[i])...)
		}
		s.distinctTokens(all)
		if n := len(s.tokens()); n != burst {
			s.Errorf("%d commands made %d tokens", burst, n)
		}
	})
}
