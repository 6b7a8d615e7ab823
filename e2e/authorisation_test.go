//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/faults"
	"matrix-registration-bot/e2e/lab"
)

// usedAs is each command as people write it. The README says which role it takes.
var usedAs = map[string]string{
	"create":         "create",
	"list":           "list",
	"show":           "show no-such-token",
	"update":         "update no-such-token uses=1",
	"rotate":         "rotate no-such-token",
	"delete":         "delete no-such-token",
	"delete expired": "delete expired",
	"delete-all":     "delete-all",
	"restore":        "restore no-such-token",
	"allow":          "allow @nobody-else:lab.test inviter",
	"disallow":       "disallow @nobody-else:lab.test",
	"allowed":        "allowed",
	"audit":          "audit",
	"whoami":         "whoami",
	"language":       "language",
	"notify":         "notify",
	"help":           "help",
}

// Every command, by everybody, everywhere: it is refused to those without the role
// that the README names, and to nobody else.
func TestWhoMayDoWhat(t *testing.T) {
	commands := rolesInTheReadme(t)
	onEachDatabase(t, func(s *scene) {
		for _, after := range []string{"\n  inviter:", "\n\n# Makers"} {
			s.restartWith("per_minute: 20"+after, "per_minute: 0"+after)
		}
		host := s.personWith("manager", "host")
		var attempts []*attempt
		for _, role := range []string{"none", "inviter", "manager", "admin", "none any more"} {
			name := strings.ReplaceAll(role, " ", "-")
			person := s.person(name)
			before := role
			if role == "none any more" {
				role, before = "none", "admin"
			}
			if before != "none" {
				s.allow(person.UserID.String(), before)
				direct := s.chatWith(person)
				attempts = append(attempts, &attempt{who: person.UserID, role: role, chat: direct, say: direct.say})
			}
			group := s.groupOf(host, person)[1]
			attempts = append(attempts, &attempt{who: person.UserID, role: role, chat: group, prefix: "!reg ", say: group.say})
			if before != role {
				s.says(s.adminChat().ask("disallow "+person.UserID.String()), "none")
			}
		}
		for _, role := range []string{"none", "inviter", "manager", "admin"} {
			remote := id.UserID("@" + role + "." + s.name + ":elsewhere.example")
			if role != "none" {
				s.allow(remote.String(), role)
			}
			group := s.groupOf(host)[0]
			s.pushJoin(group, remote)
			// Alone with the bot: the host still hears what is said there, but the bot
			// was told that they left.
			direct := s.chatWith(s.personWith("manager", "host-of-"+role))
			s.pushJoin(direct, remote)
			s.pushMember(direct, direct.room.(*lab.Chat).Person().UserID, event.MembershipLeave)
			attempts = append(attempts, &attempt{
				who: remote, role: role, chat: group, prefix: "!reg ",
				say: func(text string) id.EventID { return s.pushSay(group, remote, text) },
			}, &attempt{
				who: remote, role: role, chat: direct,
				say: func(text string) id.EventID { return s.pushSay(direct, remote, text) },
			})
		}

		for _, a := range attempts {
			for _, command := range commands {
				a.said = append(a.said, a.say(a.prefix+usedAs[command.name]))
			}
		}
		ledger, err := s.Bot.Ledger()
		s.must(err)
		s.Cleanup(ledger.Close)
		made := 0
		for _, a := range attempts {
			answers := s.answersOnce(a.said, a.chat.heardUntilAnswerTo(a.said[len(a.said)-1]))
			for i, command := range commands {
				want := rank(a.role) < rank(command.role)
				refused := strings.Contains(answers[i].Body, fmt.Sprintf("takes the role %s, and yours is %s.", command.role, a.role))
				entry, err := ledger.Entry(s.Context(), a.said[i])
				s.must(err)
				if refused != want || slices.Contains(entry.Audit, "refused") != want {
					s.Errorf("%s with the role %s says %s%s; refused: %t, want %t; audit: %v; answer:\n%s",
						a.who, a.role, a.prefix, usedAs[command.name], refused, want, entry.Audit, answers[i].Body)
				}
			}
			if a.prefix == "" && rank(a.role) >= rank("inviter") {
				made++
			}
		}
		if n := len(s.tokens()); n != made {
			s.Errorf("there are %d tokens, want %d: in a direct chat of each who may", n, made)
		}
	})
}

// attempt is somebody who tries all commands in a room.
type attempt struct {
	who    id.UserID
	role   string
	chat   *chat
	prefix string
	say    func(text string) id.EventID
	said   []id.EventID
}

// A command counts as what its sender may do when it is handled.
func TestRoleTakenFromAWaitingCommand(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		ledger, err := s.Bot.Ledger()
		s.must(err)
		s.Cleanup(ledger.Close)
		person := s.personWith("manager", "mia")
		mia := s.chatWith(person)
		s.adminChat()
		held := proxy.Spoil(0, create, faults.Delay())
		begun, waiting := mia.say("create"), mia.say("create")
		s.eventually("one command is begun and the other came in", func() bool {
			entry, err := ledger.Entry(s.Context(), waiting)
			s.must(err)
			return held.Met() > 0 && len(entry.Inbox) > 0
		})
		s.says(s.adminChat().ask("disallow "+person.UserID.String()), "none")
		held.Heal()
		answers := mia.answersTo([]id.EventID{begun, waiting})
		s.distinctTokens(answers[:1])
		s.says(answers[1], "takes the role inviter, and yours is none")
		if n := len(s.tokens()); n != 1 {
			s.Errorf("there are %d tokens, want one", n)
		}
	})
}

// Whoever was banned from the room is not heard any more, role or not, whatever
// they say.
func TestBannedFromTheRoom(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		ben := s.personWith("manager", "ben")
		rooms := s.groupOf(s.personWith("manager", "mia"), ben)
		mias, bens := rooms[0], rooms[1]
		secret := s.chatWith(ben).create()
		s.must(s.Bot.Stop())
		var said []id.EventID
		for _, command := range usedAs {
			said = append(said, bens.say("!reg "+command))
		}
		said = append(said, bens.say("!reg delete "+secret))
		s.must(mias.room.(*lab.Chat).Ban(s.Context(), ben.UserID))
		s.startBot()
		for _, command := range usedAs { // a homeserver would not let them through
			said = append(said, s.pushSay(mias, ben.UserID, "!reg "+command))
		}
		said = append(said, s.pushSay(mias, ben.UserID, "!reg delete "+secret))
		heard := mias.heardUntilAnswerTo(mias.say("!reg whoami"))
		for _, message := range heard {
			if slices.Contains(said, message.InReplyTo) {
				s.Errorf("the banned got an answer:\n%s", message.Body)
			}
		}
		s.hasTokens(secret)
	})
}

// Banned from the bot by `disallow`, they are refused in a chat that is open too.
func TestDisallowedInAnOpenChat(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		admin := s.adminChat()
		s.allow("@*."+s.name+":lab.test", "manager")
		ben := s.person("ben")
		bens := s.chatWith(ben)
		s.says(admin.ask("disallow "+ben.UserID.String()), "none")
		s.says(bens.ask("create"), "takes the role inviter, and yours is none")
		s.chatWith(s.person("bens-friend")).create()
		admin.ask("disallow @*." + s.name + ":lab.test")
	})
}

// commandRole is a command and the least role that may use it.
type commandRole struct{ name, role string }

// rolesInTheReadme reads the table of commands, which another test compares with
// the program.
func rolesInTheReadme(t *testing.T) []commandRole {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	must(t, err)
	_, rest, _ := strings.Cut(string(readme), "<!-- commands:")
	table, _, _ := strings.Cut(rest, "<!-- end of commands -->")
	var commands []commandRole
	var role int // its column
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "/"), " | ")
		if i := slices.Index(cells, "from role"); i >= 0 {
			role = i
		}
		usage, isCommand := strings.CutPrefix(cells[0], "| `")
		if !isCommand || role == 0 {
			continue
		}
		name := strings.Fields(strings.Trim(usage, "`"))[0]
		if usage == "delete expired`" {
			name = "delete expired"
		}
		if usedAs[name] == "" {
			t.Errorf("the test does not know how to use %s", name)
		}
		commands = append(commands, commandRole{name, strings.TrimSpace(cells[role])})
	}
	if len(commands) != len(usedAs) {
		t.Fatalf("the README has the commands %v, want the %d that the test uses", commands, len(usedAs))
	}
	return commands
}

func rank(role string) int {
	return slices.Index([]string{"none", "inviter", "manager", "admin"}, role)
}

// pushJoin tells the bot that somebody of another server is in a room.
func (s *scene) pushJoin(c *chat, who id.UserID) {
	s.Helper()
	s.pushMember(c, who, event.MembershipJoin)
}

// pushMember tells the bot of a membership that the homeserver knows nothing of.
func (s *scene) pushMember(c *chat, who id.UserID, membership event.Membership) {
	s.Helper()
	s.pushEvent(c, who, fmt.Sprintf(`"type": "m.room.member", "state_key": %q, "content": {"membership": %q}`, who, membership))
}

// pushSay has somebody say something who has no client here.
func (s *scene) pushSay(c *chat, who id.UserID, text string) id.EventID {
	s.Helper()
	return s.pushEvent(c, who, fmt.Sprintf(`"type": "m.room.message", "content": {"msgtype": "m.text", "body": %q}`, text))
}

func (s *scene) pushEvent(c *chat, sender id.UserID, rest string) id.EventID {
	s.Helper()
	s.pushes++
	name := fmt.Sprintf("%d-%s", s.pushes, s.name)
	s.push(name, fmt.Sprintf(`{"events": [{"event_id": "$%s", "room_id": %q, "sender": %q, "origin_server_ts": %d, %s}]}`,
		name, c.roomID(), sender, time.Now().UnixMilli(), rest))
	return id.EventID("$" + name)
}
