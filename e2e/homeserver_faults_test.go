//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/faults"
	"matrix-registration-bot/e2e/lab"
)

// Whatever becomes of the requests of a command, it has its effect once and is
// answered once, in the order in which things were said.
func TestRequestsThatFail(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		person := s.personWith("manager", "mia")
		var chats []*chat
		kinds := faults.All()
		for range kinds {
			chats = append(chats, s.chatWith(person))
		}
		said := make([][]id.EventID, len(chats))
		var names []string
		for i, c := range chats {
			name := fmt.Sprintf("token-%d-of-%s", i, s.name)
			names = append(names, name)
			proxy.Spoil(1, faults.To("POST", "/registration_tokens/new").With(name), kinds[i])
			proxy.Spoil(3, faults.To("PUT", "/send/", c.roomID().String()), kinds[i])
			said[i] = []id.EventID{c.say("create token=" + name), c.say("whoami")}
		}
		for i, c := range chats {
			answers := c.answersTo(said[i])
			if codes := answers[0].Codes(); len(codes) == 0 || codes[0] != names[i] {
				s.Errorf("%s: the answer to create is:\n%s", kinds[i].Name, answers[0].Body)
			}
		}
		s.hasTokens(names...)
	})
}

// The same for all that an encrypted room takes: joining it, reading its state,
// keys for it and from it.
func TestEncryptedRequestsThatFail(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		client := s.device(s.personWith("manager", "anna"), phone)
		kinds := append(faults.All(), faults.Misrouted())
		requests := []faults.Which{
			faults.To("POST", "/join"),
			faults.To("GET", "/state"),
			faults.To("PUT", "/sendToDevice/"),
			faults.To("PUT", "/send/m.room.encrypted/"),
			faults.To("GET", "/sync"),
		}
		for len(kinds) > 0 {
			for _, request := range requests {
				proxy.Spoil(1, request, kinds[0])
				if kinds = kinds[1:]; len(kinds) == 0 {
					break
				}
			}
			anna, room := s.sealedDM(client)
			s.must(room.Rotate(s.Context()))
			anna.answersTo([]id.EventID{anna.say("whoami"), anna.say("help")})
		}
	})
}

// The bot starts whatever becomes of its first requests.
func TestFirstRequestsFail(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		mia := s.chatWith(s.personWith("manager", "mia"))
		s.must(s.Bot.Stop())
		kinds := append(faults.All(), faults.Misrouted())
		for i, request := range []faults.Which{
			faults.To("POST", "/register"),
			faults.To("GET", "/devices"),
			faults.To("PUT", "/devices/"),
			faults.To("POST", "/keys/query"),
			faults.To("POST", "/keys/upload"),
			faults.To("GET", "/profile/"),
			faults.To("GET", "/joined_rooms"),
			faults.To("GET", "/state"),
			faults.To("GET", "/sync"),
			faults.To("POST", "/ping"),
		} {
			for j := range 3 {
				proxy.Spoil(1, request, kinds[(i+j*5)%len(kinds)])
			}
		}
		said := mia.say("whoami")
		s.startBot()
		mia.answersTo([]id.EventID{said})
	})
}

func TestTheNetworkFails(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		ledger, err := s.Bot.Ledger()
		s.must(err)
		s.Cleanup(ledger.Close)
		mia := s.chatWith(s.personWith("manager", "mia"))
		tokens := 0
		for name, break_ := range map[string]func() error{
			"no connections":        func() error { proxy.Cut(); return nil },
			"requests vanish":       func() error { return proxy.Poison(faults.Requests, "timeout", nil) },
			"answers vanish":        func() error { return proxy.Poison(faults.Answers, "timeout", nil) },
			"answers break off":     func() error { return proxy.Poison(faults.Answers, "limit_data", map[string]int{"bytes": 100}) },
			"connections are reset": func() error { return proxy.Poison(faults.Requests, "reset_peer", map[string]int{"timeout": 5}) },
			"everything comes in bits": func() error {
				return proxy.Poison(faults.Answers, "slicer", map[string]int{"average_size": 8, "delay": 500})
			},
		} {
			s.T.Log(name)
			s.must(break_())
			said := []id.EventID{mia.say("create"), mia.say("whoami")}
			s.eventually("the bot has got the commands", func() bool {
				entry, err := ledger.Entry(s.Context(), said[1])
				s.must(err)
				return len(entry.Inbox) > 0
			})
			if name == "no connections" {
				s.must(proxy.Mend())
			}
			proxy.HealNetwork(s.Context())
			mia.answersTo(said)
			tokens++
			if n := len(s.tokens()); n != tokens {
				s.Errorf("%d commands made %d tokens", tokens, n)
			}
		}
	})
}

func TestARoomThatHangsHoldsUpNoOther(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		mia, ben := s.chatWith(s.personWith("manager", "mia")), s.chatWith(s.personWith("manager", "ben"))
		hanging := proxy.Spoil(0, faults.To("PUT", "/send/", mia.roomID().String()), faults.Silence())
		said := []id.EventID{mia.say("create"), mia.say("whoami")}
		s.eventually("the answer hangs", func() bool { return hanging.Met() > 0 })
		ben.create()
		ben.ask("whoami")
		hanging.Heal()
		mia.answersTo(said)
	})
}

func TestThrownOutWithAnswersOnTheWay(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		ledger, err := s.Bot.Ledger()
		s.must(err)
		s.Cleanup(ledger.Close)
		mia, ben := s.groupOf(s.personWith("manager", "mia"), s.person("guest"))[0], s.chatWith(s.personWith("manager", "ben"))
		room := mia.room.(*lab.Chat)

		away := proxy.Spoil(0, faults.To("PUT", "/send/", room.RoomID.String()), faults.All()[0])
		said := []id.EventID{mia.say("!reg help"), mia.say("!reg whoami")}
		s.eventually("an answer was tried", func() bool { return away.Met() > 0 })
		s.must(room.Kick(s.Context(), s.Bot.UserID))
		mia.member(event.MembershipLeave)
		away.Heal()
		s.eventually("the answers are given up", func() bool {
			for _, command := range said {
				entry, err := ledger.Entry(s.Context(), command)
				s.must(err)
				if len(entry.Messages) == 0 || slices.Contains(entry.Messages, "open") {
					return false
				}
			}
			return true
		})
		ben.create()

		s.T.Log("a new invitation is a new beginning")
		s.must(room.Invite(s.Context(), s.Bot.UserID))
		mia.member(event.MembershipJoin)
		mia.hear() // its greeting
		s.says(mia.ask("!reg whoami"), "manager")
	})
}

// The homeserver forgets transaction ids after a day, and with the device. The bot
// looks in the room then. The ids are changed here, as the homeserver has
// forgotten nothing yet.
func TestAnswersOfWhichTheHomeserverMayHaveForgottenTheAttempt(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		person := s.personWith("manager", "anna")
		mia, ben := s.chatWith(s.personWith("manager", "mia")), s.chatWith(s.personWith("manager", "ben"))
		anna, _ := s.sealedDM(s.device(person, phone))

		for name, age := range map[string]string{
			"23 hours": `first_try=first_try-23*3600*1000`,
			"a device": `device_id='FORMER'`,
		} {
			s.T.Log(name)
			var lost []*faults.Spoilt
			for c, kind := range map[*chat]faults.Fault{mia: lostAnswer(), ben: lostRequest(), anna: lostAnswer()} {
				lost = append(lost, proxy.Spoil(0, faults.To("PUT", "/send/", c.roomID().String()), kind))
			}
			said := map[*chat]id.EventID{mia: mia.say("create"), ben: ben.say("create"), anna: anna.say("create")}
			for _, spoilt := range lost {
				s.eventually("an answer was tried", func() bool { return spoilt.Met() > 0 })
			}
			s.Bot.Kill()
			proxy.HealAnswers()
			changed, err := s.Bot.Tamper(s.Context(), `UPDATE outbox SET `+age+`, txn_id='again-'||txn_id WHERE state='open' AND first_try>0`)
			s.must(err)
			if changed != 3 {
				s.Errorf("%d answers were tried, want 3", changed)
			}
			s.startBot()
			for c, command := range said {
				c.answersTo([]id.EventID{command})
			}
		}
	})
}

// lostAnswer is a fault after which the message is in the room, lostRequest one
// after which it is not.
func lostAnswer() faults.Fault  { return named("hung up to what arrived") }
func lostRequest() faults.Fault { return named("hung up") }

func named(name string) faults.Fault {
	all := faults.All()
	return all[slices.IndexFunc(all, func(f faults.Fault) bool { return f.Name == name })]
}

// throughProxy has the bot reach its homeserver through a proxy until the end of
// the scene.
func (s *scene) throughProxy() *faults.Proxy {
	s.Helper()
	proxy, err := faults.Open(s.Synapse.URL)
	s.must(err)
	s.Cleanup(proxy.Close)
	s.restartWith("address: "+s.Synapse.URL, "address: "+proxy.URL)
	s.must(s.Settled(s.Context()))
	return proxy
}

func (c *chat) roomID() id.RoomID {
	if sealed, ok := c.room.(sealed); ok {
		return sealed.RoomID
	}
	return c.room.(*lab.Chat).RoomID
}
