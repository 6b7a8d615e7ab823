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
		heard := mia.heardUntilAnswerTo(mia.say("whoami"))
		s.distinctTokens(s.answersOnce(commands, heard[:len(heard)-1]))
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
			heard := c.heardUntilAnswerTo(c.say("whoami"))
			all = append(all, s.answersOnce(commands[i], heard[:len(heard)-1])...)
		}
		s.distinctTokens(all)
		if n := len(s.tokens()); n != burst {
			s.Errorf("%d commands made %d tokens", burst, n)
		}
	})
}
