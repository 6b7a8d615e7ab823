//go:build e2e

package e2e

import (
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

// A role belongs to one user id, character by character.
func TestLookAlikesHaveNoRole(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		localpart := "anna/o+n=e." + s.name
		anna, err := s.NewPerson(s.Context(), localpart)
		s.must(err)
		s.allow(anna.UserID.String(), "manager")
		annas := s.chatWith(anna)
		s.says(annas.ask("whoami"), anna.UserID.String(), "manager")

		host := s.groupOf(s.personWith("manager", "host"))[0]
		for _, other := range []id.UserID{
			id.UserID("@Anna/o+n=e." + s.name + ":lab.test"),           // letter case
			id.UserID("@anna/o+n=eX" + s.name + ":lab.test"),           // a dot is a dot
			id.UserID("@annaa/o+n=e." + s.name + ":lab.test"),          // a plus is a plus
			id.UserID("@anna%2Fo+n=e." + s.name + ":lab.test"),         // as it stands in links
			id.UserID("@аnna/o+n=e." + s.name + ":lab.test"),           // a Cyrillic letter
			id.UserID("@anna/o+n=e." + s.name + ":LAB.test"),           // another server
			id.UserID("@anna/o+n=e." + s.name + ":lab.test:8448"),      // another server
			id.UserID("@anna/o+n=e." + s.name + ":lab.test.evil.test"), // another server
			id.UserID("@anna/o+n=e." + s.name + ":lab.test\u200b"),     // no user id at all
			id.UserID("@anna/o n=e." + s.name + ":lab.test"),           // a historical user id
		} {
			s.pushMember(host, other, event.MembershipJoin)
			said := s.pushSay(host, other, "!reg create")
			heard := host.heardUntilAnswerTo(said)
			s.says(heard[len(heard)-1], "takes the role inviter, and yours is none")
		}
		s.hasTokens()

		s.T.Log("a historical user id can have a role of its own")
		historical := id.UserID("@Old|name!(1)." + s.name + ":elsewhere.example")
		s.allow(historical.String(), "manager")
		s.pushMember(host, historical, event.MembershipJoin)
		said := s.pushSay(host, historical, "!reg whoami")
		heard := host.heardUntilAnswerTo(said)
		s.says(heard[len(heard)-1], historical.String(), "manager")
	})
}

// Everybody can call themselves as they like.
func TestDisplayNamesStandForNobody(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia, eve := s.personWith("manager", "mia"), s.person("eve")
		s.must(eve.CallThemselves(s.Context(), s.Admin.UserID.String()))
		room := s.groupOf(mia, eve)[1]
		s.says(room.ask("!reg whoami"), eve.UserID.String(), "none")
		s.says(room.ask("!reg allowed"), "takes the role admin, and yours is none")

		admin := s.adminChat()
		for _, name := range []string{"Eve", "eve", "@eve"} {
			s.saysNot(admin.ask("allow "+name), "I gave")
		}
		s.saysNot(admin.allowed(), eve.UserID.String(), "- eve", "- @eve ")

		s.T.Log("of a mention the link counts, and the answer says who it is")
		body := "allow " + s.Admin.UserID.String() + " manager"
		link := `allow <a href="https://matrix.to/#/` + eve.UserID.String() + `">` + s.Admin.UserID.String() + `</a> manager`
		sent, err := admin.room.(*lab.Chat).Send(s.Context(), &event.MessageEventContent{
			MsgType: event.MsgText, Body: body, Format: event.FormatHTML, FormattedBody: link,
		})
		s.must(err)
		heard := admin.heardUntilAnswerTo(sent)
		s.says(heard[0], "I gave the user "+eve.UserID.String()+" the role manager")
	})
}
