//go:build e2e

package e2e

import (
	"errors"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/e2e/lab"
)

func isRefused(err error) bool { return errors.Is(err, lab.ErrTokenRefused) }

func TestStrangerIsDeclined(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		room, err := s.person("stella").InviteToDM(s.Context(), s.Bot.UserID)
		s.must(err)
		stella := &chat{s, room}
		if reason := stella.member(event.MembershipLeave); !strings.Contains(reason, "@admin:lab.test") {
			s.Errorf("the refusal should name whom to ask: %q", reason)
		}
	})
}

func TestStrangerInAGroup(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia, stella := s.personWith("manager", "mia"), s.person("stella")
		room := s.groupOf(mia, stella)[1]
		help := room.ask("!reg help")
		s.says(help, "@admin:lab.test")
		s.saysNot(help, "disallow")
		s.says(room.ask("!reg whoami"), stella.UserID.String())
		for _, command := range []string{"create", "list", "show x", "delete x", "delete-all", "allow @x:lab.test", "disallow @x:lab.test", "allowed"} {
			s.says(room.ask("!reg "+command), "@admin:lab.test")
		}
		s.hasTokens()
	})
}

func TestAllowTakesEffectOnTheNextCommand(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		admin := s.adminChat()
		ben := s.personWith("inviter", "ben")
		bens := s.chatWith(ben)
		s.says(bens.ask("allow @eve:lab.test"), "admin")

		s.says(admin.ask("allow "+ben.UserID.String()), ben.UserID.String(), "manager")
		s.says(bens.ask("whoami"), "manager")
		bens.create()

		s.says(admin.allowed(), ben.UserID.String(), s.Admin.UserID.String())

		s.says(admin.ask("disallow "+ben.UserID.String()), ben.UserID.String(), "none")
		s.says(bens.ask("create"), "@admin:lab.test")
		s.says(bens.ask("whoami"), "none")
		if len(s.tokens()) != 1 {
			s.Errorf("only the first create should have made a token: %v", s.tokens())
		}
	})
}

func TestPatterns(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		admin := s.adminChat()
		s.says(admin.ask("allow @club-*:lab.test inviter"), "@club-*:lab.test")
		carl := s.person("club-carl")
		s.says(s.chatWith(carl).ask("whoami"), "inviter")

		s.says(admin.ask("allow @*:elsewhere.example manager"), "other servers")
		admin.ask("disallow @*:elsewhere.example")

		for _, bad := range []string{"/@(unclosed:lab.test/", "@no-server", "nonsense", ""} {
			admin.ask("allow " + bad)
		}
		s.saysNot(admin.allowed(), "unclosed", "no-server", "nonsense")
		s.says(admin.ask("disallow @admin:lab.test"), "config.yaml")
		s.says(admin.ask("whoami"), "admin")

		admin.ask("disallow @club-*:lab.test")
		s.says(s.groupOf(s.personWith("manager", "mia"), carl)[1].ask("!reg create"), "@admin:lab.test")
	})
}

func TestInviterHasLimits(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		ivo := s.chatWith(s.personWith("inviter", "ivo"))
		s.token(lab.Token{Text: "somebody-elses"})
		var mine []string
		for range 5 {
			mine = append(mine, ivo.create())
		}
		s.says(ivo.ask("create"), "5")
		if n := len(s.tokens()); n != 6 {
			s.Errorf("the sixth should have been refused, Synapse has %d", n)
		}
		listed := ivo.ask("list")
		s.says(listed, mine...)
		s.saysNot(listed, "somebody-elses")
		s.saysNot(ivo.ask("show somebody-elses"), "any number of accounts")
		ivo.ask("delete somebody-elses")
		s.hasTokens(append(mine, "somebody-elses")...)

		ivo.ask("delete " + mine[0])
		mine[0] = ivo.create()
		s.hasTokens(append(mine, "somebody-elses")...)
	})
}

func TestReloadedPermissions(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		vera := s.personWith("inviter", "vera")
		chat := s.chatWith(vera)
		s.says(chat.ask("whoami"), "inviter")

		const before = `"@admin:lab.test": admin`
		after := before + "\n  \"" + vera.UserID.String() + "\": manager"
		s.must(s.Bot.EditConfig(before, after))
		s.Cleanup(func() {
			s.must(s.Bot.EditConfig(after, before))
			s.must(s.Bot.Reload())
		})
		s.must(s.Bot.Reload())
		for !strings.Contains(chat.ask("whoami").Body, "manager") {
			if s.Context().Err() != nil {
				s.Fatal("the new permissions never came into force")
			}
		}
		chat.create()
	})
}
