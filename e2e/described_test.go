//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event/cmdschema"

	"matrix-registration-bot/e2e/lab"
)

// The bot describes its commands in every room when it starts, so this needs a town
// with few rooms.
func TestCommandsAreDescribedToClients(t *testing.T) {
	site, err := laboratory.NewSite(t.Context(), lab.SiteOptions{Name: "described", Admin: "admin"})
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the bot's log:\n%s", site.Bot.Log())
		}
		must(t, site.Bot.Stop())
	})
	s := &scene{T: t, Site: site, name: "described"}
	ivo := s.person("ivo")
	must(t, laboratory.Encrypt(t.Context(), ivo))
	opened, err := ivo.DM(t.Context(), site.Bot.UserID)
	must(t, err)
	chat := &chat{s, opened}
	chat.hear()
	club := s.groupOf(s.person("carl"), ivo)[0]
	if there := s.described(chat); len(there) > 0 {
		t.Fatalf("nobody asked for it, and these are described: %v", names(there))
	}

	s.restartWith("describe_commands: false", "describe_commands: true")
	const forInviters = "create delete delete-expired help language list notify rotate show update whoami"
	s.describes(chat, forInviters)
	mia := s.chatWith(s.person("mia")) // a room that comes later
	s.describes(mia, forInviters)

	// One command, one answer, though it stands there as text, too.
	before := len(s.tokens())
	picked, err := opened.Pick(t.Context(), `/create --note="for \"the\" club uses=7" --expires=2d`)
	must(t, err)
	made := chat.hear()
	s.says(made, "for one account", `note: for "the" club uses=7`, "in 2 days")
	chat.hear() // to be forwarded
	if made.InReplyTo != picked || !made.Encrypted || len(s.tokens()) != before+1 {
		t.Errorf("%s was answered with %+v, and there are %d tokens", picked, made, len(s.tokens()))
	}
	picked, err = opened.Pick(t.Context(), "/show "+made.Codes()[0])
	must(t, err)
	if shown := chat.hear(); shown.InReplyTo != picked || shown.Codes()[0] != made.Codes()[0] {
		t.Errorf("the answer to show is %+v", shown)
	}
	s.says(chat.ask("list"), made.Codes()[0]) // typing works as ever

	// It follows the person: their language at once, their role with their next command.
	chat.ask("language de")
	s.eventually("the commands are described in German", func() bool {
		return slices.Contains(s.described(chat)["create"].Aliases, "erstelle")
	})
	s.allow(ivo.UserID.String(), "admin")
	chat.ask("whoami")
	s.describes(chat, "allow allowed audit create delete delete-all delete-expired disallow help language list notify rotate show update whoami")
	s.adminChat().ask("disallow " + ivo.UserID.String())
	chat.ask("whoami")
	s.describes(chat, "help language whoami")

	// Only in direct chats.
	for range 2 { // once the second is answered, all is done that comes after the first
		club.ask("!reg whoami")
	}
	s.describes(club, "")
	must(t, mia.room.Invite(t.Context(), ivo.UserID))
	s.describes(mia, "")
}

// described are the commands that a client offers in a room.
func (s *scene) described(c *chat) map[string]*cmdschema.EventContent {
	s.Helper()
	there, err := c.room.(*lab.Chat).Described(s.Context())
	s.must(err)
	return there
}

// describes waits until a client offers exactly these commands in a room.
func (s *scene) describes(c *chat, want string) {
	s.Helper()
	s.eventually("these are described: "+want, func() bool { return names(s.described(c)) == want })
}

func names(described map[string]*cmdschema.EventContent) string {
	return strings.Join(slices.Sorted(maps.Keys(described)), " ")
}
