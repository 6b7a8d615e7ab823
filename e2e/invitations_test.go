//go:build e2e

package e2e

import (
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/faults"
	"matrix-registration-bot/e2e/lab"
)

// One person can't keep the bot busy with rooms: only some of their invitations
// wait at a time, and it is in only some rooms for them.
func TestInvitationsHaveLimits(t *testing.T) {
	const mostRooms, mostInvitations = 20, 10
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		ledger, err := s.Bot.Ledger()
		s.must(err)
		s.Cleanup(ledger.Close)
		ivo := s.personWith("inviter", "ivo")
		invite := func() *chat {
			s.Helper()
			room, err := ivo.InviteToDM(s.Context(), s.Bot.UserID)
			s.must(err)
			return &chat{s, room}
		}
		var rooms []*chat

		held := proxy.Spoil(0, faults.To("POST", "/join"), faults.Delay())
		for range mostInvitations {
			rooms = append(rooms, invite())
		}
		s.eventually("the bot tries to join them all", func() bool { return held.Met() == mostInvitations })
		left := s.Bot.Watch("too many invitations of the same person wait")
		invite()
		s.must(left(s.Context()))
		held.Heal()

		for len(rooms) < mostRooms {
			rooms = append(rooms, invite())
		}
		for _, room := range rooms {
			room.member(event.MembershipJoin)
		}
		surplus := invite()
		if reason := surplus.member(event.MembershipLeave); reason != "You have invited me into 20 rooms already, and more are not allowed. Remove me from one of them, then invite me again." {
			s.Errorf("the reason is %q", reason)
		}

		s.T.Log("a place that becomes free can be used")
		s.must(rooms[0].room.(*lab.Chat).Leave(s.Context()))
		s.must(s.Empty(s.Context(), rooms[0].roomID()))
		s.must(ledger.Idle(s.Context()))
		s.must(surplus.room.Invite(s.Context(), s.Bot.UserID))
		surplus.member(event.MembershipJoin)

		s.T.Log("for managers there are none")
		s.allow(ivo.UserID.String(), "manager")
		invite().member(event.MembershipJoin)
	})
}

// Whoever writes too fast is told so once, and then hears nothing. A command counts
// once, also when the bot is killed.
func TestWhoIsTooFast(t *testing.T) {
	const perMinute = 20
	onEachDatabase(t, func(s *scene) {
		ledger, err := s.Bot.Ledger()
		s.must(err)
		s.Cleanup(ledger.Close)
		host, ivo := s.personWith("manager", "host"), s.personWith("inviter", "ivo")
		rooms := s.groupOf(host, ivo)
		s.Bot.Kill()
		var said []id.EventID
		for range perMinute + 5 {
			said = append(said, rooms[1].say("!reg whoami"))
		}
		s.must(s.Bot.Start(s.Context()))
		rooms[0].hear()
		s.Bot.Kill()
		s.startBot()
		s.must(ledger.Idle(s.Context()))

		heard := rooms[1].heardUntilAnswerTo(rooms[0].say("!reg whoami"))
		answers := s.answersOnce(said[:perMinute+1], heard[:len(heard)-1])
		s.says(answers[perMinute-1], "inviter")
		s.says(answers[perMinute], "more than 20 commands within a minute")
	})
}
