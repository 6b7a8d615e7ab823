//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/config"
	"matrix-registration-bot/e2e/lab"
	"matrix-registration-bot/tokens"
)

// News names those whose accounts were made at the right time, so these scenes
// need a town where nobody else registers meanwhile.
func TestNews(t *testing.T) {
	site, err := laboratory.NewSite(t.Context(), lab.SiteOptions{Name: "news", Admin: "admin", Interval: "1s"})
	must(t, err)
	t.Cleanup(func() { _ = site.Bot.Stop() })
	scenes := []struct {
		name  string
		play  func(s *newsScene)
		maker *lab.Person
	}{
		{name: "newcomer", play: newsOfANewcomer},
		{name: "expired", play: newsOfATokenThatExpired},
		{name: "off", play: newsSwitchedOff},
		{name: "down", play: newsWhileTheBotWasDown},
		{name: "admins", play: newsForTheAdmins},
		{name: "many", play: newsWith10000Tokens},
		{name: "people", play: newsOfPeopleOnly},
	}
	for i := range scenes {
		scenes[i].maker, err = site.NewPerson(t.Context(), "ivo."+scenes[i].name)
		must(t, err)
	}
	// Until their accounts are older than what a look compares, they could be newcomers.
	for made := time.Now(); time.Since(made) < 10*time.Second; {
		time.Sleep(100 * time.Millisecond)
	}
	for _, one := range scenes {
		t.Run(one.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the bot's log:\n%s", site.Bot.Log())
				}
			})
			one.play(&newsScene{scene: &scene{T: t, Site: site, name: one.name}, maker: one.maker})
		})
	}
}

type newsScene struct {
	*scene
	maker *lab.Person // an inviter
}

// signUp lets somebody register with a token.
func (s *newsScene) signUp(name, token string) id.UserID {
	s.Helper()
	s.must(s.SignUp(s.Context(), name, "correct horse battery", token))
	return s.UserID(name)
}

// createAs asks for a token with options and returns it.
func (c *chat) createAs(options string) (token string) {
	c.scene.Helper()
	facts := c.ask("create " + options)
	c.hear()
	return facts.Codes()[0]
}

func newsOfANewcomer(s *newsScene) {
	ivo, _ := s.sealedDM(s.device(s.maker, phone))
	var others []string
	for range 4 {
		others = append(others, ivo.create())
	}
	token := ivo.createAs(`for="Clara" note="chess club"`)
	s.says(ivo.ask("create"), "5 tokens open")

	clara := s.signUp("clara", token)
	news := ivo.hear()
	s.says(news, "Somebody registered", token, "probably "+clara.String(), "0 uses left", "for Clara", "chess club")
	if news.Type != event.MsgText || news.Mentions == nil || !slices.Equal(news.Mentions.UserIDs, []id.UserID{s.maker.UserID}) {
		s.Errorf("the news would not notify ivo: %+v", news)
	}
	s.says(ivo.ask("show "+token), "used up", "probably "+clara.String())
	s.says(s.adminChat().ask("audit "+s.maker.UserID.String()), "create", token[:4], "done", "refused")

	others = append(others, ivo.create()) // a place is free again
	s.says(ivo.ask("create"), "5 tokens open")
	for _, other := range others {
		ivo.ask("delete " + other)
	}
	s.silentNews(ivo)
}

// Who could have registered: neither whom an appservice made, as bridges do, nor a
// server admin.
func newsOfPeopleOnly(s *newsScene) {
	began := time.Now()
	registration, err := config.LoadRegistration(s.Bot.Registration)
	s.must(err)
	appservice, err := mautrix.NewClient(s.URL, "", registration.AsToken)
	s.must(err)
	_, err = appservice.MakeRequest(s.Context(), http.MethodPost, appservice.BuildClientURL("v3", "register"),
		map[string]any{"type": mautrix.AuthTypeAppservice, "username": "_registration-bot", "inhibit_login": true}, nil)
	s.must(err)
	chief := s.person("chief").UserID
	s.must(s.SetAdmin(s.Context(), chief, true))
	clara := s.person("clara").UserID

	for _, kind := range []string{tokens.KindSynapse, tokens.KindAuto} {
		accounts, err := tokenAPI(s.T, s.Site, kind).NewAccounts(s.Context(), began)
		s.must(err)
		if len(accounts) != 1 || accounts[0].UserID != clara.String() {
			s.Errorf("%s: the new accounts are %+v, want only %s", kind, accounts, clara)
		}
	}
}

// silentNews checks that the bot has no news for somebody: they would come before
// those of a new token.
func (s *newsScene) silentNews(c *chat) {
	s.Helper()
	token := c.create()
	s.must(s.EndToken(s.Context(), token))
	s.says(c.hear(), "expired", token)
}

func newsOfATokenThatExpired(s *newsScene) {
	ivo := s.chatWith(s.maker)
	token := ivo.createAs("note=party")
	s.must(s.EndToken(s.Context(), token))
	s.says(ivo.hear(), "expired", "nobody had used it", token, "party")
	s.silentNews(ivo)
}

func newsSwitchedOff(s *newsScene) {
	ivo := s.chatWith(s.maker)
	s.says(ivo.ask("notify off"), "don't tell you")
	token := ivo.create()
	dora := s.signUp("dora", token)
	admin := s.adminChat()
	s.eventually("the bot knows who registered", func() bool {
		return strings.Contains(admin.ask("show "+token).Body, dora.String())
	})
	s.says(ivo.ask("notify on"), "I tell you")
	s.silentNews(ivo)
}

func newsWhileTheBotWasDown(s *newsScene) {
	ivo := s.chatWith(s.maker)
	token := ivo.createAs("note=party")
	s.Bot.Kill()
	emil := s.signUp("emil", token)
	s.startBot()
	s.says(ivo.hear(), token, "party", "probably "+emil.String())
	s.Bot.Kill()
	s.startBot()
	s.silentNews(ivo)
}

func newsForTheAdmins(s *newsScene) {
	ivo := s.chatWith(s.maker)
	admins := s.adminChat()
	s.must(s.Bot.Stop())
	s.must(s.Bot.EditConfig(`room: ""`, fmt.Sprintf("room: %q", admins.room.(*lab.Chat).RoomID)))
	s.startBot()

	s.token(lab.Token{Text: "made-elsewhere"})
	token := ivo.create()
	frida := s.signUp("frida", token)
	s.says(ivo.hear(), token, "of yours", frida.String())
	news := admins.hear()
	s.says(news, "Somebody registered with a token:", "probably "+frida.String(), "made by "+s.maker.UserID.String())
	s.saysNot(news, token) // the room is not encrypted

	s.signUp("gert", "made-elsewhere") // which a look has met by now
	s.says(admins.hear(), "@gert:lab.test", "made elsewhere")
}

func newsWith10000Tokens(s *newsScene) {
	const most = 30 << 20 // bytes that memory may grow by
	ivo := s.chatWith(s.maker)
	admin := s.adminChat()
	token := ivo.createAs("note=party")
	before := s.memory()
	s.must(s.ManyTokens(s.Context(), "bulk-", 10_000))

	s.says(admin.ask("list"), "valid tokens", "page 1 of")
	s.says(admin.ask("list 500"), "bulk-", "page 500 of")
	s.says(admin.ask("list note bulk-9999"), "1 valid token", "bulk-9999")
	s.says(admin.ask("list all by "+s.maker.UserID.String()), token)
	s.says(ivo.ask("list"), "1 valid token", token)
	hanna := s.signUp("hanna", token)
	s.says(ivo.hear(), token, "party", "probably "+hanna.String())
	if grown := s.memory() - before; grown > most {
		s.Errorf("memory grew by %.1f MB", float64(grown)/1e6)
	}

	s.must(s.FewerTokens(s.Context(), "bulk-"))
	s.silentNews(ivo)
	s.eventually("memory comes back", func() bool { return s.memory()-before < most/3 })
}

// memory is what the bot occupies now.
func (s *newsScene) memory() int {
	s.Helper()
	memory, err := s.Bot.Memory()
	s.must(err)
	s.Logf("the bot occupies %.1f MB", float64(memory)/1e6)
	return memory
}
