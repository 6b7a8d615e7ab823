//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/e2e/lab"
)

func TestEncryptedCreateOptions(t *testing.T) {
	onEachDatabaseReadably(t, func(s *scene) {
		mia, _ := s.sealedDM(s.device(s.personWith("manager", "mia"), phone))
		nextYear := time.Now().UTC().Year() + 1
		for _, test := range []struct {
			options string
			uses    int // 0 = unlimited
			expires time.Duration
			says    []string
		}{
			{"uses=5 expires=14d", 5, 14 * 24 * time.Hour, []string{"for 5 accounts", "14 days"}},
			{"expires=2h", 1, 2 * time.Hour, []string{"for one account", "2 hours"}},
			{"expires=1d12h uses=2", 2, 36 * time.Hour, []string{"36 hours"}},
			{fmt.Sprintf("expires=%d-12-24", nextYear), 1, 0, []string{fmt.Sprintf("24 Dec %d", nextYear)}},
			{fmt.Sprintf(`expires="%d-12-24 18:00"`, nextYear), 1, 0, []string{fmt.Sprintf("24 Dec %d 18:00 UTC", nextYear)}},
			{"token=chess-club." + s.name, 1, 7 * 24 * time.Hour, []string{"chess-club." + s.name}},
			{"words", 1, 7 * 24 * time.Hour, nil},
			{`for="Grandma" note="has a new phone"`, 1, 7 * 24 * time.Hour, []string{"for Grandma", "note: has a new phone", "Forward the next message to Grandma"}},
		} {
			facts := mia.ask("create " + test.options)
			forward := mia.hear()
			s.says(facts, test.says...)
			code := facts.Codes()[0]
			s.says(forward, code, "invite code")
			s.saysNot(forward, "token ", "Grandma", "new phone")
			token, stands := s.tokens()[code]
			if !stands || token.Uses == nil || *token.Uses != test.uses {
				s.Errorf("create %s made %+v", test.options, token)
			}
			if test.expires == 0 {
				continue
			}
			if left := time.Until(time.UnixMilli(*token.Expires)).Round(10 * time.Minute); left != test.expires {
				s.Errorf("create %s made a token for %s", test.options, left)
			}
		}
		code := mia.ask("create length=40").Codes()[0]
		mia.hear()
		if len(code) != 40 {
			s.Errorf("create length=40 made %q", code)
		}

		s.T.Log("several at once, one answer")
		many := mia.ask(`create count=10 uses=2 note="for all"`)
		s.says(many, "10 tokens", "for 2 accounts", "for all")
		s.says(mia.hear(), "(your code)")
		standing := s.tokens()
		for _, code := range many.Codes()[:10] {
			if token, stands := standing[code]; !stands || *token.Uses != 2 {
				s.Errorf("%q is %+v", code, token)
			}
		}

		s.T.Log("what never ends is asked about first")
		before := len(s.tokens())
		s.says(mia.ask("create uses=unlimited"), "any number of people", "Shall I make it?")
		s.says(mia.ask("cancel"), "nothing was done")
		s.says(mia.ask("create expires=never"), "never expires", "Shall I make it?")
		if now := len(s.tokens()); now != before {
			s.Errorf("%d tokens were made before the answer", now-before)
		}
		s.says(mia.ask("confirm"), "never expires", "for one account")
		mia.hear()
		s.says(mia.ask("create uses=unlimited expires=never"), "any number of people", "for ever")
		endless := mia.ask("confirm")
		mia.hear()
		if token := s.tokens()[endless.Codes()[0]]; token.Uses != nil || token.Expires != nil {
			s.Errorf("it has an end: %+v", token)
		}
	})
}

func TestCreateRefusesBadOptions(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.token(lab.Token{Text: "taken-already"})
		mia := s.chatWith(s.personWith("manager", "mia"))
		for _, test := range []struct{ options, says string }{
			{"uses=0", "uses=5"},
			{"uses=-1", "uses=5"},
			{"uses=many", "uses=unlimited"},
			{"expires=soon", "expires=14d"},
			{"expires=2020-01-01", "over already"},
			{"expires=2099-13-01", "expires=14d"},
			{"expires=0d", "expires=14d"},
			{"token=" + strings.Repeat("x", 65), "1 to 64"},
			{"token=chess/club", "letters"},
			{"token=taken-already", "there is such a token already"},
			{"length=7", "from 8 to 64"},
			{"length=65", "from 8 to 64"},
			{"count=0", "whole number"},
			{"count=3 token=mine", "don't go together"},
			{"words length=10", "don't go together"},
			{"note=", "needs a value"},
			{"uses=1 uses=2", "twice"},
			{"colour=red", "no option"},
			{"please", "uses=5 expires=14d"},
		} {
			answer := mia.ask("create " + test.options)
			s.says(answer, test.says)
			if strings.Count(answer.Body, "\n") > 0 {
				s.Errorf("create %s: more than a sentence or two: %s", test.options, answer.Body)
			}
		}
		s.hasTokens("taken-already")
	})
}

func TestLimitsOfInviters(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		ivo := s.chatWith(s.personWith("inviter", "ivo"))
		s.says(ivo.ask("create uses=2"), "one account only")
		s.says(ivo.ask("create expires=8d"), "7 days")
		s.says(ivo.ask("create expires=never"), "7 days")
		first := ivo.ask("create count=4").Codes()[:4]
		ivo.hear()
		s.says(ivo.ask("create count=2"), "5 tokens open", "only one more")
		fifth := ivo.create()
		s.says(ivo.ask("create"), "5 tokens open", "the first ends", "7 days")
		s.hasTokens(append(first, fifth)...)
	})
}

func TestInvitersMakeOnlySoManyTokensInADay(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.restartWith("per_day: 10", "per_day: 2")
		ivo := s.chatWith(s.personWith("inviter", "ivo"))
		s.says(ivo.ask("create count=3"), "2 tokens within 24 hours", "no more at once")
		first := ivo.create()
		s.says(ivo.ask("create count=2"), "2 tokens within 24 hours", "1 left now", "in 24 hours")

		s.T.Log("a place that was taken stays so, also when the token is deleted")
		ivo.ask("delete " + first)
		second := ivo.create()
		s.says(ivo.ask("create"), "2 tokens within 24 hours", "0 left now", "room for what you asked", "in 24 hours")
		s.hasTokens(second)
	})
}

func TestDatesAreThoseOfTheBotsTimeZone(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.restartWith("timezone: UTC", "timezone: America/New_York")
		mia := s.chatWith(s.personWith("manager", "mia"))
		nextYear := time.Now().UTC().Year() + 1
		for _, test := range []struct{ date, utc, says string }{
			{"%d-12-24 18:00", "%d-12-24 23:00", "24 Dec %d 18:00 EST"},
			{"%d-07-04 18:00", "%d-07-04 22:00", "4 Jul %d 18:00 EDT"}, // summer time
		} {
			facts := mia.ask(fmt.Sprintf(`create expires="`+test.date+`"`, nextYear))
			mia.hear()
			code := facts.Codes()[0]
			ends := time.UnixMilli(*s.tokens()[code].Expires).UTC().Format("2006-01-02 15:04")
			if want := fmt.Sprintf(test.utc, nextYear); ends != want {
				s.Errorf("a token until %s in New York ends %s UTC, want %s", test.date, ends, want)
			}
			s.says(facts, fmt.Sprintf(test.says, nextYear))
			s.says(mia.ask("show "+code), fmt.Sprintf(test.says, nextYear))
		}
	})
}

func TestInvitersKeepToTheirOwn(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.token(lab.Token{Text: "made-with-curl"})
		ivo := s.chatWith(s.personWith("inviter", "ivo"))
		mia := s.chatWith(s.personWith("manager", "mia"))
		his, hers := ivo.create(), mia.create()

		own := ivo.ask("list all")
		s.says(own, his, "Only tokens that you made")
		s.saysNot(own, hers, "made-with-curl")
		for _, command := range []string{"show %s", "delete %s", "update %s note=mine", "rotate %s"} {
			for _, token := range []string{hers, "made-with-curl"} {
				s.says(ivo.ask(fmt.Sprintf(command, token)), "no such token")
			}
		}
		all := mia.ask("list all")
		s.says(all, his, hers, "made by @ivo.", "made by you", "made elsewhere")
		s.hasTokens(his, hers, "made-with-curl")
	})
}

func TestUpdateAndRotate(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		mia.ask("notify off") // news has scenes of its own
		code := mia.create()
		s.says(mia.ask(`update `+code+` uses=3 expires=14d note="chess club"`), "3 uses left", "14 days", "chess club")
		if token := s.tokens()[code]; *token.Uses != 3 {
			s.Errorf("after the update: %+v", token)
		}
		s.must(s.SignUp(s.Context(), "clara."+s.name, "correct horse battery", code))
		s.says(mia.ask("update "+code+" uses=1"), "used once already", "uses=2")
		s.says(mia.ask("update "+code), "What shall be different?")
		s.says(mia.ask("update "+code+" expires=yesterday"), "expires=14d")
		s.says(mia.ask("update "+code+" expires=never"), "Shall I change it?")
		s.says(mia.ask("confirm"), "never expires")

		rotated := mia.ask("rotate " + code)
		fresh := rotated.Codes()[1]
		mia.hear()
		s.says(rotated, code, fresh, "takes its place", "for 2 accounts", "never expires", "chess club")
		s.hasTokens(fresh)
		err := s.SignUp(s.Context(), "dora."+s.name, "correct horse battery", code)
		if err == nil {
			s.Error("the leaked code still lets people in")
		}
		s.must(s.SignUp(s.Context(), "dora."+s.name, "correct horse battery", fresh))
	})
}

func TestListFilters(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		soon := time.Now().Add(2 * time.Second).UnixMilli()
		s.token(lab.Token{Text: "long-over", Expires: &soon})
		s.token(lab.Token{Text: "made-with-curl"})
		mia := s.chatWith(s.personWith("manager", "mia"))
		mia.ask("notify off") // news has scenes of its own
		ivo := s.personWith("inviter", "ivo")
		his := s.chatWith(ivo).create()
		used := mia.create()
		s.must(s.SignUp(s.Context(), "clara."+s.name, "correct horse battery", used))
		club := mia.ask(`create note="chess club" expires=3d`).Codes()[0]
		mia.hear()

		s.eventually("the token has expired", func() bool { return time.Now().UnixMilli() > soon })

		for _, test := range []struct {
			list string
			want []string
		}{
			{"list", []string{club, his, "made-with-curl"}},
			{"list valid", []string{club, his, "made-with-curl"}},
			{"list expired", []string{"long-over"}},
			{"list used", []string{used}},
			{"list mine", []string{club}},
			{"list all mine", []string{club, used}},
			{"list by " + ivo.UserID.String(), []string{his}},
			{"list note chess", []string{club}},
			{"list all sort=token", []string{club, his, used, "long-over", "made-with-curl"}},
		} {
			answer := mia.ask(test.list)
			var got []string
			for _, code := range answer.Codes() {
				if _, stands := s.tokens()[code]; stands {
					got = append(got, code)
				}
			}
			if len(got) != len(test.want) {
				s.Errorf("%s shows %q, want %q:\n%s", test.list, got, test.want, answer.Body)
			}
			s.says(answer, test.want...)
		}
		for command, says := range map[string]string{
			"list sideways":    "by @user",
			"list by mia":      "no user id",
			"list sort=colour": "can't sort",
			"list 2":           "only one page",
			"list note nobody": "No token fits",
		} {
			s.says(mia.ask(command), says)
		}
		s.says(mia.ask("delete expired"), "1 token is deleted")
		s.hasTokens(club, his, used, "made-with-curl")
	})
}

func TestAuditTellsWhoDidWhat(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		ivo := s.personWith("inviter", "ivo")
		his := s.chatWith(ivo)
		code := his.create()
		his.ask("delete " + code)
		s.says(his.ask("delete-all"), "admin")
		course := s.adminChat().ask("audit 10 " + ivo.UserID.String())
		s.says(course, "create", "delete", "delete-all", "refused", "done", ivo.UserID.String())
		s.saysNot(course, code) // only its beginning
		s.says(his.ask("audit"), "takes the role admin")
		s.says(s.adminChat().ask("audit 201"), "audit 50 @anna:example.org")
	})
}

func TestEverybodyInTheirLanguage(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		s.says(mia.ask("language klingon"), "English", "Deutsch")
		s.says(mia.ask("language de"), "Deutsch")
		s.says(mia.ask("hilfe"), "Registrierung", "create")
		facts := mia.ask("erstelle nutzungen=2")
		s.says(facts, "2")
		s.says(mia.hear(), "Einladungscode", facts.Codes()[0])
		s.says(mia.ask("liste"), facts.Codes()[0])
		s.says(mia.ask("lösche "+facts.Codes()[0]), facts.Codes()[0])
		s.says(mia.ask("sprache en"), "English")
		s.says(s.chatWith(s.personWith("manager", "ben")).ask("help"), "What you can write")
	})
}
