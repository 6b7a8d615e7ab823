//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/e2e/lab"
)

func TestGreeting(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		dm, err := s.personWith("manager", "mia").DM(s.Context(), s.Bot.UserID)
		s.must(err)
		greeting, err := dm.Hear(s.Context())
		s.must(err)
		s.says(greeting, "create", "list", "help")
	})
}

func TestHelp(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		help := mia.ask("help")
		s.says(help, "create", "list", "show", "delete", "whoami")
		s.saysNot(help, "disallow", "delete-all")
		if help.Type != event.MsgNotice {
			s.Errorf("an answer should be a notice, not %s", help.Type)
		}
		s.says(mia.ask("help create"), "create")
		s.says(mia.ask("!reg help"), "create")
		s.says(mia.ask("  `HELP` "), "create")

		s.says(s.adminChat().ask("help"), "allow", "disallow", "allowed", "delete-all")
	})
}

func TestWhoami(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.says(s.chatWith(s.personWith("manager", "mia")).ask("whoami"), "manager", "@mia.whoami:lab.test")
		s.says(s.chatWith(s.personWith("inviter", "ivo")).ask("whoami"), "inviter")
		s.says(s.adminChat().ask("whoami"), "admin", "config")
	})
}

func TestCreate(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		facts := mia.ask("create")
		forward := mia.hear()

		code := facts.Codes()[0]
		s.hasTokens(code)
		token := s.tokens()[code]
		if token.Uses == nil || *token.Uses != 1 {
			s.Errorf("the token should have one use: %+v", token)
		}
		if week := time.Until(time.UnixMilli(*token.Expires)).Round(time.Hour); week != 7*24*time.Hour {
			s.Errorf("the token should be valid for seven days, not %s", week)
		}
		s.says(facts, code, "UTC", "7 days")
		s.says(forward, code, "lab.test")
		if forward.Type != event.MsgText || forward.InReplyTo != "" {
			s.Errorf("the message to forward should stand alone: %+v", forward)
		}
	})
}

func TestShow(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.token(lab.Token{Text: "endless"})
		mia := s.chatWith(s.personWith("manager", "mia"))
		mine := mia.create()

		s.says(mia.ask("show "+mine), mine, "1 left", "7 days", "made by you")
		s.says(mia.ask("show "+mine+" nonsense endless"), mine, "nonsense", "no such token",
			"endless", "any number of accounts", "never expires", "made elsewhere")
	})
}

func TestList(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		none := mia.ask("list")
		if strings.TrimSpace(none.Body) == "" {
			s.Error("an empty list should be said, not left empty")
		}
		first, second := mia.create(), mia.create()
		s.says(mia.ask("list"), first, second)
	})
}

func TestListOf25(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		names := numbered("token-%02d", 25)
		for i, name := range names {
			// The later in the alphabet, the sooner it expires.
			expires := time.Now().Add(time.Duration(25-i) * time.Hour).UnixMilli()
			s.token(lab.Token{Text: name, Uses: uses(i + 1), Expires: &expires})
		}
		slices.Reverse(names)

		mia := s.chatWith(s.personWith("manager", "mia"))
		listed := mia.ask("list")
		more := mia.ask("list 2")
		var shown []string
		for _, code := range append(listed.Codes(), more.Codes()...) {
			if strings.HasPrefix(code, "token-") {
				shown = append(shown, code)
			}
		}
		if !slices.Equal(shown, names) {
			s.Errorf("listed: %q, want all, soonest first: %q", shown, names)
		}
		s.says(listed, "25")
	})
}

func TestDelete(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		first, second, third := mia.create(), mia.create(), mia.create()
		s.says(mia.ask("delete "+first), first)
		s.hasTokens(second, third)
		s.says(mia.ask("delete "+second+" nonsense "+third), second, "nonsense", "no such token", third)
		s.hasTokens()
	})
}

func TestOddTokens(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		longest := strings.Repeat("x", 64)
		odd := []string{".", "..", "~", longest}
		for _, text := range odd {
			s.token(lab.Token{Text: text})
		}
		s.token(lab.Token{Text: "bystander"})

		mia := s.chatWith(s.personWith("manager", "mia"))
		s.says(mia.ask("list"), longest, "~")
		for i, text := range odd {
			s.says(mia.ask("show "+text), "any number of accounts")
			mia.ask("delete " + text)
			s.hasTokens(append([]string{"bystander"}, odd[i+1:]...)...)
		}
		for _, impossible := range []string{longest + "x", "grüße", "🦊", "a/b", "..%2F", "../v1"} {
			mia.ask("show " + impossible)
			mia.ask("delete " + impossible)
		}
		s.hasTokens("bystander")
	})
}

func TestTokenUsedUp(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		mia.ask("notify off") // news has scenes of its own
		code := mia.create()

		newcomer, err := s.BeginSignUp(s.Context(), "newcomer", "correct horse", code)
		s.must(err)
		s.says(mia.ask("show "+code), "pending")

		s.must(newcomer.Finish(s.Context()))
		s.says(mia.ask("show "+code), "used up")
		s.saysNot(mia.ask("list valid"), code)
		s.says(mia.ask("list all"), code)

		err = s.SignUp(s.Context(), "second", "correct horse", code)
		if !isRefused(err) {
			s.Errorf("a used token should be refused, got %v", err)
		}
		_, err = s.LogIn(s.Context(), s.UserID("newcomer"), "correct horse")
		s.must(err)
	})
}

func TestListExpired(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		soon := time.Now().Add(1500 * time.Millisecond).UnixMilli()
		s.token(lab.Token{Text: "shortlived", Expires: &soon})
		s.token(lab.Token{Text: "endless"})
		mia := s.chatWith(s.personWith("manager", "mia"))
		for !slices.Contains(mia.ask("list expired").Codes(), "shortlived") {
			if s.Context().Err() != nil {
				s.Fatal("the token never showed up among the expired ones")
			}
		}
		s.saysNot(mia.ask("list expired"), "endless")
		s.saysNot(mia.ask("list valid"), "shortlived")
		s.says(mia.ask("list all"), "shortlived", "endless")
	})
}

func TestWhatIsNoCommand(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))

		s.says(mia.ask("craete"), "create") // the nearest one
		s.says(mia.ask("please let my grandmother in"), "help")
		mia.ask(strings.Repeat("a", 60_000))
		mia.ask("show " + strings.Repeat("b ", 30_000))
		mia.ask("create \x01\u202e <b>bold</b> @room")
		s.hasTokens()

		// Blank messages, notices and edits are none of the bot's business.
		_, err := mia.room.Notice(s.Context(), "create")
		s.must(err)
		typo := mia.say("whoami")
		_, err = mia.room.Edit(s.Context(), typo, "create")
		s.must(err)
		heard := mia.heardUntilAnswerTo(mia.say("help"))
		if len(heard) != 2 || heard[0].InReplyTo != typo {
			s.Errorf("only whoami and help should be answered, heard %d messages", len(heard))
		}
		s.hasTokens()
	})
}

func TestEveryAnswerIsShort(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		for _, text := range []string{strings.Repeat("ä", 30_000), "show" + strings.Repeat(" token", 10_000)} {
			for _, message := range mia.heardUntilAnswerTo(mia.say(text)) {
				if size := len(message.Body) + len(message.HTML); size > 30<<10 {
					s.Errorf("an answer of %d bytes", size)
				}
			}
		}
	})
}
